/** The contract once more, in memory and one row at a time, and the check that the SQL does what it says. */
@NullMarked
package io.pgflow.sql.model;

import org.jspecify.annotations.NullMarked;
