/** Workflows defined in Java whose state lives in PostgreSQL. */
@NullMarked
package io.pgflow;

import org.jspecify.annotations.NullMarked;
