/**
 * Workflows in plain Java whose whole state lives in PostgreSQL.
 *
 * <p>A {@link io.pgflow.Flow} is a graph of {@link io.pgflow.Step steps}. A step runs a {@link io.pgflow.Handler} once for
 * each run, or, as a map, once for each element of a list; what it returns is stored as JSON, and read by the steps that
 * name it as their {@link io.pgflow.Source}. The database decides what is ready, tried again, skipped or failed.
 *
 * {@snippet class="FulfilOrder" region="flow"}
 */
@NullMarked
package io.pgflow;

import org.jspecify.annotations.NullMarked;
