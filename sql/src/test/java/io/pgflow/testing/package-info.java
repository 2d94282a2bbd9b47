/** What the tests of all modules share: their databases. */
@NullMarked
package io.pgflow.testing;

import org.jspecify.annotations.NullMarked;
