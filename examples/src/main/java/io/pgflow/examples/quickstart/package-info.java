/** The quickstart: a flow over the text files of a folder, run from a terminal. {@code IndexDocuments} is the flow. */
@NullMarked
package io.pgflow.examples.quickstart;

import org.jspecify.annotations.NullMarked;
