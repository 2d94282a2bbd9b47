/** How fast it is. */
@NullMarked
package io.pgflow.examples.bench;

import org.jspecify.annotations.NullMarked;
