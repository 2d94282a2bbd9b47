package io.pgflow.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.postgresql.PGProperty;

class PromptSocketsTest {

    @Test
    void aLookFindsWhatHasArrivedAndNothingElse() throws Exception {
        try (var server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                var socket = new PromptSockets().createSocket();
                var peer = connected(socket, server)) {
            var in = socket.getInputStream();
            socket.setSoTimeout(60_000);

            socket.setSoTimeout(1);
            assertThat(socket.getSoTimeout()).isOne();
            assertThatThrownBy(in::read).isInstanceOf(SocketTimeoutException.class);
            assertThatThrownBy(() -> in.read(new byte[2])).isInstanceOf(SocketTimeoutException.class);

            socket.setSoTimeout(60_000);
            assertThat(socket.getSoTimeout()).isEqualTo(60_000);
            peer.getOutputStream().write(new byte[] {1, 2, 3});
            assertThat(in.read()).as("one is waited for").isOne();

            socket.setSoTimeout(1);
            var rest = new byte[2];
            assertThat(in.read(rest)).isEqualTo(2);
            assertThat(rest).containsExactly(2, 3);
            assertThatThrownBy(in::read).isInstanceOf(SocketTimeoutException.class);
        }
    }

    private static Socket connected(Socket socket, ServerSocket server) throws Exception {
        socket.connect(server.getLocalSocketAddress());
        return server.accept();
    }

    @Test
    void connectsWhereItIsToldTo() throws Exception {
        var here = InetAddress.getLoopbackAddress();
        var sockets = new PromptSockets();
        try (var server = new ServerSocket(0, 4, here)) {
            int port = server.getLocalPort();
            for (Socket socket : List.of(
                    sockets.createSocket(here, port),
                    sockets.createSocket(here.getHostAddress(), port),
                    sockets.createSocket(here, port, here, 0),
                    sockets.createSocket(here.getHostAddress(), port, here, 0))) {
                try (socket;
                        var peer = server.accept()) {
                    socket.getOutputStream().write(7);
                    assertThat(peer.getInputStream().read()).isEqualTo(7);
                }
            }
        }
    }

    @Test
    void theDriverHasThemUnlessTheUrlNamesOthers() {
        var url = "postgresql://host/db";

        assertThat(socketFactory(url)).isEqualTo(PromptSockets.class.getName());
        assertThat(socketFactory(url + "?socketFactory=com.example.Others")).isEqualTo("com.example.Others");
    }

    private static @Nullable String socketFactory(String url) {
        return DatabaseUrl.parse("url", url).dataSource().getProperty(PGProperty.SOCKET_FACTORY);
    }
}
