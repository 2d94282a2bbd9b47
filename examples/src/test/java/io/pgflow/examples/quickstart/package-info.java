/** Tests of the quickstart, down to the command as a user runs it. */
@NullMarked
package io.pgflow.examples.quickstart;

import org.jspecify.annotations.NullMarked;
