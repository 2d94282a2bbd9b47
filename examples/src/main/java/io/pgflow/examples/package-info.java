/** Flows to run and to read, each with its own {@code main}. */
@NullMarked
package io.pgflow.examples;

import org.jspecify.annotations.NullMarked;
