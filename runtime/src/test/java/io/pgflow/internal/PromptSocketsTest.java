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

    private static final InetAddress HERE = InetAddress.getLoopbackAddress();

    private final PromptSockets sockets = new PromptSockets();

    @Test
    void aLookFindsWhatHasArrivedAndNothingElse() throws Exception {
        try (var server = new ServerSocket(0, 1, HERE);
                var socket = sockets.createSocket(HERE, server.getLocalPort());
                var peer = server.accept()) {
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

    @Test
    void connectsAsOthersDo() throws Exception {
        try (var server = new ServerSocket(0, 4, HERE)) {
            int port = server.getLocalPort();
            for (Socket socket : List.of(
                    sockets.createSocket(HERE, port),
                    sockets.createSocket(HERE.getHostAddress(), port),
                    sockets.createSocket(HERE, port, HERE, 0),
                    sockets.createSocket(HERE.getHostAddress(), port, HERE, 0))) {
                try (socket;
                        var peer = server.accept()) {
                    socket.getOutputStream().write(7);
                    assertThat(peer.getInputStream().read()).isEqualTo(7);
                }
            }
            try (var socket = sockets.createSocket()) {
                assertThat(socket.isConnected()).isFalse();
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
