package io.pgflow.internal;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import javax.net.SocketFactory;
import org.postgresql.PGProperty;

/**
 * Sockets that do not wait where the driver only looks. After each announcement it looks whether another has come, by a read that may last a millisecond:
 * a fifth of the time from a start to its handler. Here such a read ends at once.
 */
public final class PromptSockets extends SocketFactory {

    /** What the driver sets before it looks, in milliseconds. */
    private static final int LOOK = 1;

    /** For the driver, which makes it by its name. */
    public PromptSockets() {}

    /** Whether the driver can: it may have been loaded by somebody who does not know this class. */
    static boolean knownToDriver() {
        try {
            return Class.forName(PromptSockets.class.getName(), false, PGProperty.class.getClassLoader())
                    == PromptSockets.class;
        } catch (ClassNotFoundException e) {
            return false;
        }
    }

    @Override
    public Socket createSocket() {
        return new PromptSocket();
    }

    @Override
    public Socket createSocket(String host, int port) throws IOException {
        return createSocket(InetAddress.getByName(host), port);
    }

    @Override
    public Socket createSocket(InetAddress host, int port) throws IOException {
        return createSocket(host, port, new InetSocketAddress(0).getAddress(), 0);
    }

    @Override
    public Socket createSocket(String host, int port, InetAddress local, int localPort) throws IOException {
        return createSocket(InetAddress.getByName(host), port, local, localPort);
    }

    @Override
    public Socket createSocket(InetAddress host, int port, InetAddress local, int localPort) throws IOException {
        var socket = createSocket();
        try {
            socket.bind(new InetSocketAddress(local, localPort));
            socket.connect(new InetSocketAddress(host, port));
            return socket;
        } catch (IOException e) {
            socket.close();
            throw e;
        }
    }

    private static final class PromptSocket extends Socket {

        private volatile boolean looking;

        @Override
        public void setSoTimeout(int millis) throws SocketException {
            looking = millis == LOOK;
            if (!looking) {
                super.setSoTimeout(millis);
            }
        }

        @Override
        public int getSoTimeout() throws SocketException {
            return looking ? LOOK : super.getSoTimeout();
        }

        @Override
        public InputStream getInputStream() throws IOException {
            return new FilterInputStream(super.getInputStream()) {
                @Override
                public int read() throws IOException {
                    look();
                    return super.read();
                }

                @Override
                public int read(byte[] bytes, int from, int most) throws IOException {
                    look();
                    return super.read(bytes, from, most);
                }

                private void look() throws IOException {
                    if (looking && available() == 0) {
                        throw new SocketTimeoutException("nothing has arrived");
                    }
                }
            };
        }
    }
}
