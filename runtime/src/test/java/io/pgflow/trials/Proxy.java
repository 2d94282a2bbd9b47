package io.pgflow.trials;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.postgresql.ds.PGSimpleDataSource;

/** Stands between a worker and its server, and does to their connections what networks do. Two threads a connection. Any thread may call it. */
final class Proxy implements AutoCloseable {

    /** How PostgreSQL says that it waits for the next statement: what it was sent before is committed, if nothing was wrong with it. */
    private static final byte[] READY = {'Z', 0, 0, 0, 5, 'I'};

    private final InetSocketAddress server;
    private final int port;
    private final Set<Link> links = ConcurrentHashMap.newKeySet();
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition flows = lock.newCondition();
    private ServerSocket door;
    private Thread doorkeeper;
    private @Nullable Socket lockedDoor;
    private boolean stalled;
    private volatile @Nullable Trap trap;

    /** A request whose reply is to be lost. */
    private record Trap(Pattern request, CountDownLatch sprung) {}

    /** Whether what has come is to be passed on. */
    @FunctionalInterface
    private interface Valve {
        boolean passes(byte[] buffer, int n);
    }

    private Proxy(InetSocketAddress server) throws IOException {
        this.server = server;
        door = open(0);
        doorkeeper = keep(door);
        port = door.getLocalPort();
    }

    /** A proxy before the server of a database, on a port of its own. */
    static Proxy before(PGSimpleDataSource database) {
        try {
            return new Proxy(new InetSocketAddress(database.getServerNames()[0], database.getPortNumbers()[0]));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The same database through this; each request carries its statement's text. */
    PGSimpleDataSource to(PGSimpleDataSource database) {
        var through = new PGSimpleDataSource();
        through.setUrl(database.getURL());
        through.setUser(database.getUser());
        through.setPassword(database.getPassword());
        through.setServerNames(new String[] {InetAddress.getLoopbackAddress().getHostAddress()});
        through.setPortNumbers(new int[] {port});
        through.setPrepareThreshold(0);
        return through;
    }

    private static ServerSocket open(int wanted) throws IOException {
        var opened = new ServerSocket();
        opened.setReuseAddress(true);
        opened.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), wanted));
        return opened;
    }

    private Thread keep(ServerSocket opened) {
        return Thread.ofPlatform().daemon().name("proxy-door").start(() -> {
            while (!opened.isClosed()) {
                try {
                    new Link(opened.accept()).begin();
                } catch (IOException e) {
                    // closed, or the server cannot be reached: the client sees its connection closed
                }
            }
        });
    }

    /** Resets all connections. New ones are let through. */
    void cut() {
        links.forEach(Link::reset);
    }

    /** Resets all connections and refuses new ones. */
    void refuse() {
        lock.lock();
        try {
            door.close();
            doorkeeper.join();
            var locked = new Socket(); // bound to the port, so that nobody else takes it, but not listening
            locked.setReuseAddress(true);
            locked.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
            lockedDoor = locked;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        } finally {
            lock.unlock();
        }
        cut();
    }

    /** Ends {@link #refuse}. */
    void accept() {
        lock.lock();
        try {
            if (lockedDoor != null) {
                lockedDoor.close();
            }
            door = open(port);
            doorkeeper = keep(door);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } finally {
            lock.unlock();
        }
    }

    /** Passes nothing on, in neither direction, and closes nothing: neither side gets to know. Also of new connections. */
    void stall() {
        lock.lock();
        try {
            stalled = true;
        } finally {
            lock.unlock();
        }
    }

    /** The connections that there are are never passed on again, and not closed; new ones are. As a firewall does that has forgotten them. */
    void forget() {
        links.forEach(Link::forget);
    }

    /** Ends {@link #stall}: what was held back arrives. */
    void flow() {
        lock.lock();
        try {
            stalled = false;
            flows.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /**
     * Lets a request through and takes its reply: the server has done it, and the connection is reset.
     *
     * @param request what the next such request contains, in its statement and its arguments: a regular expression
     * @return opens once that has happened
     */
    CountDownLatch dropReplyTo(String request) {
        var sprung = new CountDownLatch(1);
        trap = new Trap(Pattern.compile(request, Pattern.DOTALL), sprung);
        return sprung;
    }

    @Override
    public void close() {
        refuse();
        flow();
        try {
            if (lockedDoor != null) {
                lockedDoor.close();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A connection of a client, and ours to the server for it. */
    private final class Link {
        private final Socket client;
        private final Socket upstream;
        private volatile boolean forgotten;
        private volatile @Nullable Trap caught;
        private byte[] tail = {};

        Link(Socket client) throws IOException {
            this.client = client;
            upstream = new Socket();
            try {
                upstream.connect(server, 5_000);
                client.setTcpNoDelay(true);
                upstream.setTcpNoDelay(true);
            } catch (IOException e) {
                client.close();
                throw e;
            }
        }

        void begin() {
            links.add(this);
            pump("up", client, upstream, this::letThrough);
            pump("down", upstream, client, this::letBack);
        }

        private void pump(String way, Socket from, Socket to, Valve valve) {
            Thread.ofPlatform().daemon().name("proxy-" + way).start(() -> {
                var buffer = new byte[1 << 16];
                try (from;
                        to) {
                    InputStream in = from.getInputStream();
                    OutputStream out = to.getOutputStream();
                    for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
                        awaitFlow();
                        if (valve.passes(buffer, n)) {
                            out.write(buffer, 0, n);
                        }
                    }
                } catch (IOException e) {
                    // reset by either side, or by us
                } finally {
                    links.remove(Link.this);
                }
            });
        }

        private boolean letThrough(byte[] buffer, int n) {
            Trap set = trap;
            if (set != null
                    && set.request()
                            .matcher(new String(buffer, 0, n, StandardCharsets.ISO_8859_1))
                            .find()) {
                trap = null;
                caught = set;
            }
            return !forgotten;
        }

        private boolean letBack(byte[] buffer, int n) {
            Trap sprung = caught;
            if (sprung == null) {
                return !forgotten;
            }
            var seen = Arrays.copyOf(tail, tail.length + n);
            System.arraycopy(buffer, 0, seen, tail.length, n);
            tail = Arrays.copyOfRange(seen, Math.max(0, seen.length - READY.length), seen.length);
            if (Arrays.equals(tail, READY)) {
                sprung.sprung().countDown(); // before anybody can see it
                reset();
            }
            return false;
        }

        private void awaitFlow() throws IOException {
            lock.lock();
            try {
                while (stalled && !client.isClosed()) {
                    flows.await(100, TimeUnit.MILLISECONDS);
                }
            } catch (InterruptedException e) {
                throw new IOException(e);
            } finally {
                lock.unlock();
            }
        }

        void forget() {
            forgotten = true;
        }

        void reset() {
            for (Socket socket : new Socket[] {client, upstream}) {
                try {
                    socket.setSoLinger(true, 0); // close sends a reset
                    socket.close();
                } catch (IOException e) {
                    // it was closed
                }
            }
        }
    }
}
