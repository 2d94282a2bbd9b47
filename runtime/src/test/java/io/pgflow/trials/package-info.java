/** What workers stand: dying connections, servers, networks, processes and handlers. Each trial ends with the invariants. */
@NullMarked
package io.pgflow.trials;

import org.jspecify.annotations.NullMarked;
