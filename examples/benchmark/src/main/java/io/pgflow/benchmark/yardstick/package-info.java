/** What is measured of PgFlow as a whole, beside others. */
@NullMarked
package io.pgflow.benchmark.yardstick;

import org.jspecify.annotations.NullMarked;
