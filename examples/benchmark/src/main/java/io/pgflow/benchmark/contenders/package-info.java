/** The systems that are measured. */
@NullMarked
package io.pgflow.benchmark.contenders;

import org.jspecify.annotations.NullMarked;
