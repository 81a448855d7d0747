package ebms;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsParameters;
import com.sun.net.httpserver.HttpsServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import javax.net.ssl.SSLParameters;

/** One MSH: it sends what the test asks, and answers what comes in by its terms. */
final class Party {
    /** What the test is told of a message that went out. */
    static final class Sent {
        int status;
        String protocol;
        String requestType;
        /** What came back; null where there was nothing. */
        Parsed answer;
        /** Digests of what was sent. */
        List<Parsed.Reference> references = new ArrayList<>();
    }

    final Keys keys;
    private final Post post;
    private final HttpsServer server;
    private final ExecutorService background = Executors.newSingleThreadExecutor(Party::daemon);
    private final List<Future<Sent>> pending = new ArrayList<>();
    private final List<Parsed> received = new ArrayList<>();
    private final Map<String, byte[]> known = new HashMap<>();
    private volatile Terms terms = new Terms();
    private Mime last;
    private Dialect lastDialect;

    Party(Keys.Files files) throws Exception {
        keys = new Keys(files);
        post = new Post(keys);
        server = HttpsServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setHttpsConfigurator(
                new HttpsConfigurator(keys.tls) {
                    @Override
                    public void configure(HttpsParameters parameters) {
                        SSLParameters wanted = keys.tls.getDefaultSSLParameters();
                        wanted.setNeedClientAuth(true);
                        parameters.setSSLParameters(wanted);
                    }
                });
        server.createContext("/ebms", this::handle);
        server.setExecutor(Executors.newCachedThreadPool(Party::daemon));
        server.start();
    }

    private static Thread daemon(Runnable work) {
        Thread thread = new Thread(work);
        thread.setDaemon(true);
        return thread;
    }

    int port() {
        return server.getAddress().getPort();
    }

    /** Begin anew, under these terms. */
    synchronized void agree(Terms fresh) {
        terms = fresh;
        received.clear();
        pending.clear();
        known.clear();
    }

    // --- sending ----------------------------------------------------------------------

    Sent send(Message message) throws Exception {
        Sent sent = new Sent();
        last = sealed(message, sent);
        lastDialect = message.dialect;
        return posted(last, lastDialect, sent);
    }

    Mime sealed(Message message, Sent sent) throws Exception {
        String text =
                message.ofMsh()
                        ? Envelope.msh(terms, message, statusBody(message), "")
                        : Envelope.user(terms, message);
        Map<String, byte[]> parts = message.parts();
        byte[] envelope = signed(text, parts, message.dialect, sent);
        if (message.tamper.equals("payload")) {
            parts.replaceAll((id, octets) -> changed(octets));
        }
        if (terms.encrypted) {
            for (Map.Entry<String, byte[]> part : parts.entrySet()) {
                byte[] octets = Encryption.encrypt(part.getValue(), keys, message.dialect);
                part.setValue(unescaped(octets, message.dialect));
            }
        }
        if (message.tamper.equals("header")) {
            envelope = replaced(envelope, message.conversationId, message.conversationId + "x");
        }
        return Mime.write(envelope, message.messageId, parts, message.dialect);
    }

    Parsed read(Mime mime) {
        return Parsed.read(mime, terms, keys);
    }

    Sent resend() throws Exception {
        return posted(last, lastDialect, new Sent());
    }

    private static String statusBody(Message message) {
        return message.action.equals("StatusRequest") ? "StatusRequest" : "";
    }

    private byte[] signed(String text, Map<String, byte[]> parts, Dialect dialect, Sent sent)
            throws Exception {
        byte[] octets = text.getBytes(StandardCharsets.UTF_8);
        if (!terms.signed) {
            return octets;
        }
        org.w3c.dom.Document document = Xml.parse(octets);
        Signatures.sign(document, parts, keys, dialect);
        Xml.children(
                        Xml.child(
                                Xml.only(document, Envelope.DS, "Signature"),
                                Envelope.DS,
                                "SignedInfo"),
                        Envelope.DS,
                        "Reference")
                .forEach(one -> sent.references.add(Parsed.Reference.of(one)));
        return unescaped(Xml.write(document, dialect.declaration), dialect);
    }

    /** Santuario ends the lines of base64 by CR LF, which a serializer writes as `&#13;`. */
    private static byte[] unescaped(byte[] octets, Dialect dialect) {
        return dialect.carriageReturns ? octets : replaced(octets, "&#13;", "");
    }

    private static byte[] replaced(byte[] octets, String old, String fresh) {
        return new String(octets, StandardCharsets.UTF_8)
                .replace(old, fresh)
                .getBytes(StandardCharsets.UTF_8);
    }

    private static byte[] changed(byte[] octets) {
        byte[] copy = octets.clone();
        copy[copy.length - 2] ^= 1;
        return copy;
    }

    private Sent posted(Mime mime, Dialect dialect, Sent sent) throws Exception {
        Post.Answer answer = post.send(terms.endpoint, mime, dialect);
        sent.status = answer.status;
        sent.protocol = answer.protocol;
        sent.requestType = mime.contentType;
        if (answer.mime.body.length > 0) {
            sent.answer = Parsed.read(answer.mime, terms, keys);
        }
        return sent;
    }

    // --- receiving --------------------------------------------------------------------

    private void handle(HttpExchange exchange) throws IOException {
        byte[] body = exchange.getRequestBody().readAllBytes();
        if (terms.status != 0) {
            respond(exchange, terms.status, null);
            return;
        }
        String type = exchange.getRequestHeaders().getFirst("Content-Type");
        Parsed found = Parsed.read(new Mime(type, body), terms, keys);
        found.soapAction = exchange.getRequestHeaders().getFirst("SOAPAction");
        byte[] answer;
        int status;
        try {
            answer = answer(found);
            status = answer == null ? 204 : 200;
            if (found.problem.contains("unknown CPA")) {
                answer = Envelope.fault("Client", "CPA").getBytes(StandardCharsets.UTF_8);
                status = 500;
            }
        } catch (Exception e) {
            found.problem = describe(e);
            answer = null;
            status = 500;
        }
        synchronized (this) {
            received.add(found);
            if (terms.losesFirst && found.acknowledgeable() && !found.duplicate) {
                answer = null;
                status = 204;
            }
            if (answer != null && status == 200 && !terms.syncReply) {
                byte[] later = answer;
                pending.add(background.submit(() -> signal(later)));
                answer = null;
                status = 204;
            }
        }
        respond(exchange, status, answer);
    }

    private Sent signal(byte[] envelope) throws Exception {
        Mime mime = Mime.write(envelope, "signal", Map.of(), terms.dialect);
        return posted(mime, terms.dialect, new Sent());
    }

    private static void respond(HttpExchange exchange, int status, byte[] answer)
            throws IOException {
        if (answer == null) {
            exchange.sendResponseHeaders(status, -1);
        } else {
            exchange.getResponseHeaders().set("Content-Type", "text/xml; charset=UTF-8");
            exchange.sendResponseHeaders(status, answer.length);
            exchange.getResponseBody().write(answer);
        }
        exchange.close();
    }

    /** The signal that the message asks for; null when there is none. */
    private synchronized byte[] answer(Parsed found) throws Exception {
        if (found.ofMsh()) {
            return found.problem.isEmpty() ? msh(found) : null;
        }
        if (!found.problem.isEmpty()) {
            return sign(Envelope.error(terms, found, "SecurityFailure", "//Header/Signature"));
        }
        if (!terms.refuses.isEmpty()) {
            return sign(Envelope.error(terms, found, terms.refuses, "//Header/MessageHeader"));
        }
        found.duplicate = known.containsKey(found.messageId);
        byte[] ack = known.get(found.messageId);
        if (!found.duplicate) {
            ack = found.ackRequested ? acknowledgment(found) : null;
            known.put(found.messageId, ack);
        }
        return ack;
    }

    private byte[] acknowledgment(Parsed found) throws Exception {
        String text = Envelope.acknowledgment(terms, found, terms.wrongDigests);
        return found.ackSigned ? sign(text) : text.getBytes(StandardCharsets.UTF_8);
    }

    private byte[] msh(Parsed found) throws Exception {
        switch (found.action) {
            case "Ping":
                Message pong = Envelope.answer(terms, found, "Pong");
                return sign(Envelope.msh(terms, pong, "", ""));
            case "StatusRequest":
                Message status = Envelope.answer(terms, found, "StatusResponse");
                status.instead = Map.of("status-of", found.statusOf);
                String said = known.containsKey(found.statusOf) ? "Received" : "NotRecognized";
                return sign(Envelope.msh(terms, status, "StatusResponse", said));
            default:
                return null;
        }
    }

    private byte[] sign(String text) throws Exception {
        return signed(text, Map.of(), terms.dialect, new Sent());
    }

    // --- what the test asks -----------------------------------------------------------

    /** Wait for the signals under way, and tell what was answered to each. */
    List<Sent> settle() throws Exception {
        List<Future<Sent>> now;
        synchronized (this) {
            now = List.copyOf(pending);
            pending.clear();
        }
        List<Sent> done = new ArrayList<>();
        for (Future<Sent> one : now) {
            done.add(one.get());
        }
        return done;
    }

    /** What came in since the last time. */
    synchronized List<Parsed> take() {
        List<Parsed> all = List.copyOf(received);
        received.clear();
        return all;
    }

    static String describe(Throwable error) {
        Throwable cause = error;
        while (cause.getCause() != null) {
            cause = cause.getCause();
        }
        return error.getClass().getSimpleName() + ": " + error.getMessage()
                + (cause == error ? "" : " / " + cause);
    }
}
