package ebms;

import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/** Writes SOAP envelopes as text. */
final class Envelope {
    static final String SOAP = "http://schemas.xmlsoap.org/soap/envelope/";
    static final String EB =
            "http://www.oasis-open.org/committees/ebxml-msg/schema/msg-header-2_0.xsd";
    static final String DS = "http://www.w3.org/2000/09/xmldsig#";
    static final String XLINK = "http://www.w3.org/1999/xlink";
    static final String MSH = "urn:oasis:names:tc:ebxml-msg:service";
    static final String TO_PARTY = "urn:oasis:names:tc:ebxml-msg:actor:toPartyMSH";
    static final String NEXT = "http://schemas.xmlsoap.org/soap/actor/next";

    private final Dialect dialect;
    private final StringBuilder text = new StringBuilder();
    private final List<String> open = new ArrayList<>();

    private Envelope(Dialect dialect) {
        this.dialect = dialect;
    }

    // --- what is sent -----------------------------------------------------------------

    static String user(Terms terms, Message message) {
        Envelope out = new Envelope(message.dialect);
        out.begin();
        String ack = message.instead.getOrDefault("ack", "" + terms.signed);
        out.messageHeader(terms, message, terms.reliable);
        if (terms.reliable && !ack.isEmpty()) {
            out.leaf("eb:AckRequested", "", "eb:version", "2.0", "soap:mustUnderstand", "1",
                    "soap:actor", TO_PARTY, "eb:signed", ack);
        }
        if (terms.syncReply) {
            out.syncReply();
        }
        out.body();
        out.start("eb:Manifest", "eb:version", "2.0");
        for (String id : message.parts().keySet()) {
            out.start("eb:Reference", "xlink:type", "simple", "xlink:href", "cid:" + id);
            if (message.dialect.extras) {
                out.leaf("eb:Description", "Een melding", "xml:lang", "nl");
            }
            out.end();
        }
        out.end();
        return out.finish();
    }

    /** Ping, StatusRequest, or their answers: `body` and `status` may be empty. */
    static String msh(Terms terms, Message message, String body, String status) {
        Envelope out = new Envelope(message.dialect);
        out.begin();
        out.messageHeader(terms, message, false);
        if (terms.syncReply && List.of("Ping", "StatusRequest").contains(message.action)) {
            out.syncReply();
        }
        out.body();
        if (!body.isEmpty()) {
            String[] attributes =
                    status.isEmpty()
                            ? new String[] {"eb:version", "2.0"}
                            : new String[] {"eb:version", "2.0", "eb:messageStatus", status};
            out.start("eb:" + body, attributes);
            out.leaf("eb:RefToMessageId", message.instead.get("status-of"));
            out.end();
        }
        return out.finish();
    }

    static String acknowledgment(Terms terms, Parsed received, boolean wrong) {
        Message message = answer(terms, received, "Acknowledgment");
        Envelope out = new Envelope(terms.dialect);
        out.begin();
        out.messageHeader(terms, message, false);
        out.start("eb:Acknowledgment", "eb:version", "2.0", "soap:mustUnderstand", "1",
                "soap:actor", TO_PARTY);
        out.leaf("eb:Timestamp", now());
        out.leaf("eb:RefToMessageId", received.messageId);
        out.start("eb:From");
        out.leaf("eb:PartyId", terms.oin, "eb:type", "urn:osb:oin");
        out.end();
        for (Parsed.Reference one : received.references) {
            out.start("ds:Reference", "URI", one.uri);
            out.leaf("ds:DigestMethod", "", "Algorithm", one.method);
            out.leaf("ds:DigestValue", wrong ? "AAAA" + one.value.substring(4) : one.value);
            out.end();
        }
        out.end();
        out.body();
        return out.finish();
    }

    static String error(Terms terms, Parsed received, String code, String location) {
        Message message = answer(terms, received, "MessageError");
        Envelope out = new Envelope(terms.dialect);
        out.begin();
        out.messageHeader(terms, message, false);
        out.start("eb:ErrorList", "eb:version", "2.0", "soap:mustUnderstand", "1",
                "eb:highestSeverity", "Error");
        out.start("eb:Error", "eb:codeContext", "urn:oasis:names:tc:ebxml-msg:service:errors",
                "eb:errorCode", code, "eb:severity", "Error", "eb:location", location);
        out.leaf("eb:Description", "refused", "xml:lang", "en-US");
        out.end();
        out.end();
        out.body();
        return out.finish();
    }

    static Message answer(Terms terms, Parsed received, String action) {
        Message message = new Message();
        message.action = action;
        message.messageId = UUID.randomUUID() + "@" + terms.oin;
        message.conversationId = received.conversationId;
        message.refToMessageId = received.messageId;
        message.dialect = terms.dialect;
        return message;
    }

    static String fault(String side, String words) {
        return "<soap:Envelope xmlns:soap=\"" + SOAP + "\"><soap:Body><soap:Fault><faultcode>soap:"
                + side + "</faultcode><faultstring>" + words
                + "</faultstring></soap:Fault></soap:Body></soap:Envelope>";
    }

    // --- its parts --------------------------------------------------------------------

    private void begin() {
        if (dialect.declaration) {
            text.append("<?xml version=\"1.0\" encoding=\"UTF-8\"?>");
        }
        List<String> names = new ArrayList<>(List.of(
                "xmlns:" + dialect.soap, SOAP, "xmlns:xlink", XLINK, "xmlns:eb", EB));
        if (dialect.eb.isEmpty()) {
            names.addAll(List.of("xmlns", EB));
        } else if (!dialect.eb.equals("eb")) {
            names.addAll(List.of("xmlns:" + dialect.eb, EB));
        }
        names.addAll(List.of("xmlns:ds", DS));
        start("soap:Envelope", names.toArray(new String[0]));
        start("soap:Header");
    }

    private void messageHeader(Terms terms, Message message, boolean eliminate) {
        boolean ofMsh = message.ofMsh();
        String version = message.instead.getOrDefault("version", "2.0");
        start("eb:MessageHeader", "eb:version", version, "soap:mustUnderstand", "1");
        party("From", terms.oin, ofMsh ? "" : message.instead.getOrDefault("role", terms.role));
        party("To", terms.partner, ofMsh ? "" : terms.partnerRole);
        leaf("eb:CPAId", message.instead.getOrDefault("cpa", terms.cpa));
        leaf("eb:ConversationId", message.conversationId);
        if (ofMsh) {
            leaf("eb:Service", MSH);
        } else {
            leaf("eb:Service", terms.service, "eb:type", terms.serviceType);
        }
        leaf("eb:Action", message.instead.getOrDefault("action", message.action));
        start("eb:MessageData");
        leaf("eb:MessageId", message.messageId);
        leaf("eb:Timestamp", now());
        if (message.refToMessageId != null) {
            leaf("eb:RefToMessageId", message.refToMessageId);
        }
        if (!ofMsh) {
            leaf("eb:TimeToLive", "" + later(message.instead.getOrDefault("ttl", "PT2H")));
        }
        end();
        if (eliminate) {
            leaf("eb:DuplicateElimination", "");
        }
        if (dialect.extras) {
            leaf("eb:Description", "Voorbeeld", "xml:lang", "nl");
        }
        end();
    }

    private static Instant later(String span) {
        return Instant.now().truncatedTo(ChronoUnit.MILLIS).plus(Duration.parse(span));
    }

    private void party(String side, String oin, String role) {
        start("eb:" + side);
        leaf("eb:PartyId", oin, "eb:type", "urn:osb:oin");
        if (!role.isEmpty()) {
            leaf("eb:Role", role);
        }
        end();
    }

    private void syncReply() {
        leaf("eb:SyncReply", "", "eb:version", "2.0", "soap:mustUnderstand", "1",
                "soap:actor", NEXT);
    }

    private void body() {
        end();
        start("soap:Body");
    }

    private String finish() {
        end();
        end();
        return text.toString();
    }

    static String now() {
        return Instant.now().truncatedTo(ChronoUnit.MILLIS).toString();
    }

    // --- text -------------------------------------------------------------------------

    private void start(String name, String... attributes) {
        tag(name, attributes);
        text.append('>');
        open.add(name);
    }

    private void tag(String name, String... attributes) {
        line();
        text.append('<').append(element(name));
        for (int n = 0; n < attributes.length; n += 2) {
            text.append(' ').append(attribute(attributes[n])).append("=\"");
            text.append(escaped(attributes[n + 1])).append('"');
        }
    }

    private void leaf(String name, String value, String... attributes) {
        tag(name, attributes);
        if (value.isEmpty()) {
            text.append("/>");
        } else {
            text.append('>').append(escaped(value)).append("</").append(element(name)).append('>');
        }
    }

    private void end() {
        String name = open.remove(open.size() - 1);
        line();
        text.append("</").append(element(name)).append('>');
    }

    private void line() {
        if (dialect.pretty && text.length() > 0) {
            text.append('\n').append("    ".repeat(open.size()));
        }
    }

    private String element(String name) {
        String local = name.substring(name.indexOf(':') + 1);
        if (name.startsWith("eb:")) {
            return dialect.eb.isEmpty() ? local : dialect.eb + ":" + local;
        }
        return name.startsWith("soap:") ? dialect.soap + ":" + local : name;
    }

    /** An attribute has no default namespace: `eb` stands for it. */
    private String attribute(String name) {
        if (name.startsWith("eb:") && !dialect.eb.isEmpty()) {
            return dialect.eb + name.substring(2);
        }
        return name.startsWith("soap:") ? dialect.soap + name.substring(4) : name;
    }

    private static String escaped(String value) {
        return value.replace("&", "&amp;").replace("<", "&lt;").replace("\"", "&quot;");
    }
}
