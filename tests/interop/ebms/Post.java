package ebms;

import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;

/** One HTTP request, in the way of the dialect. */
final class Post {
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private final Keys keys;
    private final Map<String, HttpClient> clients = new HashMap<>();

    Post(Keys keys) {
        this.keys = keys;
    }

    /** What came back; `protocol` as the answer says it. */
    static final class Answer {
        int status;
        String protocol;
        Mime mime;
    }

    Answer send(String endpoint, Mime message, Dialect dialect) throws Exception {
        String action = dialect.quotedAction ? "\"ebXML\"" : "ebXML";
        return dialect.http.equals("1.0")
                ? byHand(URI.create(endpoint), message, action)
                : byClient(endpoint, message, action, dialect);
    }

    private Answer byClient(String endpoint, Mime message, String action, Dialect dialect)
            throws Exception {
        HttpRequest request =
                HttpRequest.newBuilder(URI.create(endpoint))
                        .timeout(PATIENCE)
                        .header("Content-Type", message.contentType)
                        .header("SOAPAction", action)
                        .expectContinue(dialect.http.equals("expect"))
                        .POST(publisher(message.body, dialect))
                        .build();
        HttpResponse<byte[]> found =
                client(dialect).send(request, HttpResponse.BodyHandlers.ofByteArray());
        Answer answer = new Answer();
        answer.status = found.statusCode();
        answer.protocol = found.version().toString();
        answer.mime =
                new Mime(found.headers().firstValue("Content-Type").orElse(""), found.body());
        return answer;
    }

    /** A body of which the length is not known beforehand goes in chunks. */
    private static HttpRequest.BodyPublisher publisher(byte[] body, Dialect dialect) {
        return dialect.http.equals("chunked")
                ? HttpRequest.BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(body))
                : HttpRequest.BodyPublishers.ofByteArray(body);
    }

    private synchronized HttpClient client(Dialect dialect) {
        boolean h2 = dialect.http.equals("h2");
        return clients.computeIfAbsent(
                h2 + dialect.tls,
                key -> {
                    SSLParameters parameters = new SSLParameters();
                    parameters.setProtocols(new String[] {dialect.tls});
                    return HttpClient.newBuilder()
                            .version(h2 ? HttpClient.Version.HTTP_2 : HttpClient.Version.HTTP_1_1)
                            .sslContext(keys.tls)
                            .sslParameters(parameters)
                            .build();
                });
    }

    /** HTTP/1.0: no Host, no chunks, and the end of the answer is the end of the connection. */
    private Answer byHand(URI endpoint, Mime message, String action) throws Exception {
        try (SSLSocket socket =
                (SSLSocket)
                        keys.tls
                                .getSocketFactory()
                                .createSocket(endpoint.getHost(), endpoint.getPort())) {
            socket.setSoTimeout((int) PATIENCE.toMillis());
            String head =
                    "POST " + endpoint.getPath() + " HTTP/1.0\r\nContent-Type: "
                            + message.contentType + "\r\nSOAPAction: " + action
                            + "\r\nContent-Length: " + message.body.length + "\r\n\r\n";
            OutputStream out = socket.getOutputStream();
            out.write(head.getBytes(StandardCharsets.US_ASCII));
            out.write(message.body);
            out.flush();
            return read(socket.getInputStream().readAllBytes());
        }
    }

    private static Answer read(byte[] octets) {
        String text = new String(octets, StandardCharsets.ISO_8859_1);
        int blank = text.indexOf("\r\n\r\n");
        String[] lines = text.substring(0, blank).split("\r\n");
        String type = "";
        for (String line : lines) {
            if (line.toLowerCase(Locale.ROOT).startsWith("content-type:")) {
                type = line.substring(line.indexOf(':') + 1).trim();
            }
        }
        Answer answer = new Answer();
        answer.protocol = lines[0].substring(0, lines[0].indexOf(' '));
        answer.status = Integer.parseInt(lines[0].split(" ")[1]);
        byte[] body = text.substring(blank + 4).getBytes(StandardCharsets.ISO_8859_1);
        answer.mime = new Mime(type, body);
        return answer;
    }
}
