@NullMarked
package io.pgflow.benchmark;

import org.jspecify.annotations.NullMarked;
