/** Code in no package of the benchmark, as PgFlow's own is. */
@NullMarked
package io.pgflow.pinned;

import org.jspecify.annotations.NullMarked;
