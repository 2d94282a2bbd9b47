/** How fast PgFlow is: what {@code ./examples/bench} runs. */
@NullMarked
package io.pgflow.benchmark;

import org.jspecify.annotations.NullMarked;
