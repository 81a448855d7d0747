package ebms;

import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.w3c.dom.Document;
import org.w3c.dom.Element;

/** What came in, as the test is told. */
final class Parsed {
    static final class Reference {
        String uri;
        String method;
        String value;

        static Reference of(Element element) {
            Reference found = new Reference();
            found.uri = element.getAttribute("URI");
            found.method =
                    Xml.child(element, Envelope.DS, "DigestMethod").getAttribute("Algorithm");
            found.value = Xml.text(element, Envelope.DS, "DigestValue");
            return found;
        }
    }

    static final class Fault {
        String code;
        String severity;
        String location;
    }

    String action = "";
    String service;
    String cpa;
    String messageId;
    String refToMessageId;
    String conversationId;
    boolean signed;
    boolean ackRequested;
    boolean ackSigned;
    boolean syncReply;
    boolean duplicate;
    String acknowledges;
    String statusOf;
    String messageStatus;
    String soapFault;
    List<String> payloads = new ArrayList<>();
    /** By what the parts were encrypted: the ends of the URIs. */
    List<String> encrypted = new ArrayList<>();
    List<Reference> references = new ArrayList<>();
    List<Reference> acknowledged = new ArrayList<>();
    List<Fault> errors = new ArrayList<>();

    /** Why it was not accepted; empty: it was. */
    String problem = "";

    String contentType;
    String soapAction;

    private final transient Map<String, byte[]> parts = new LinkedHashMap<>();

    /** Read and prove; what is wrong with it is in `problem`. */
    static Parsed read(Mime mime, Terms terms, Keys keys) {
        Parsed found = new Parsed();
        found.contentType = mime.contentType;
        try {
            Map<String, byte[]> parts = mime.parts();
            Document envelope = Xml.parse(parts.remove(""));
            found.parts.putAll(parts);
            found.header(envelope);
            if (found.soapFault == null) {
                found.prove(envelope, terms, keys);
            }
        } catch (Exception e) {
            found.problem = Party.describe(e);
        }
        return found;
    }

    private void prove(Document envelope, Terms terms, Keys keys) throws Exception {
        if (!terms.cpa.equals(cpa)) {
            throw new IllegalArgumentException("unknown CPA");
        }
        boolean message = !Envelope.MSH.equals(service);
        if (message) {
            manifest(envelope);
        }
        if (message && terms.encrypted) {
            for (Map.Entry<String, byte[]> part : parts.entrySet()) {
                encrypted.addAll(Encryption.methods(part.getValue()));
                part.setValue(Encryption.decrypt(part.getValue(), keys, !terms.weak));
            }
        }
        signed = Xml.only(envelope, Envelope.DS, "Signature") != null;
        if (signed) {
            references = Signatures.verify(envelope, parts, keys);
        } else if (message && terms.signed) {
            throw new SecurityException("signature is missing");
        }
        parts.values().forEach(one -> payloads.add(Base64.getEncoder().encodeToString(one)));
    }

    private void manifest(Document envelope) {
        Element manifest = Xml.only(envelope, Envelope.EB, "Manifest");
        List<String> named = new ArrayList<>();
        for (Element one : Xml.children(manifest, Envelope.EB, "Reference")) {
            named.add(one.getAttributeNS(Envelope.XLINK, "href").substring("cid:".length()));
        }
        if (!named.equals(List.copyOf(parts.keySet()))) {
            throw new IllegalArgumentException("Manifest does not name the parts");
        }
    }

    private void header(Document envelope) {
        Element fault = Xml.only(envelope, Envelope.SOAP, "Fault");
        if (fault != null) {
            soapFault = fault.getElementsByTagName("faultcode").item(0).getTextContent();
            return;
        }
        Element header = Xml.only(envelope, Envelope.EB, "MessageHeader");
        Element data = Xml.child(header, Envelope.EB, "MessageData");
        service = Xml.text(header, Envelope.EB, "Service");
        action = Xml.text(header, Envelope.EB, "Action");
        cpa = Xml.text(header, Envelope.EB, "CPAId");
        conversationId = Xml.text(header, Envelope.EB, "ConversationId");
        messageId = Xml.text(data, Envelope.EB, "MessageId");
        refToMessageId = Xml.text(data, Envelope.EB, "RefToMessageId");
        syncReply = Xml.only(envelope, Envelope.EB, "SyncReply") != null;
        Element asked = Xml.only(envelope, Envelope.EB, "AckRequested");
        ackRequested = asked != null;
        ackSigned = asked != null && asked.getAttributeNS(Envelope.EB, "signed").equals("true");
        signals(envelope);
    }

    private void signals(Document envelope) {
        Element ack = Xml.only(envelope, Envelope.EB, "Acknowledgment");
        if (ack != null) {
            acknowledges = Xml.text(ack, Envelope.EB, "RefToMessageId");
            Xml.children(ack, Envelope.DS, "Reference")
                    .forEach(one -> acknowledged.add(Reference.of(one)));
        }
        Element list = Xml.only(envelope, Envelope.EB, "ErrorList");
        if (list != null) {
            Xml.children(list, Envelope.EB, "Error").forEach(one -> errors.add(fault(one)));
        }
        for (String name : List.of("StatusRequest", "StatusResponse")) {
            Element status = Xml.only(envelope, Envelope.EB, name);
            if (status != null) {
                statusOf = Xml.text(status, Envelope.EB, "RefToMessageId");
                messageStatus = status.getAttributeNS(Envelope.EB, "messageStatus");
            }
        }
    }

    private static Fault fault(Element element) {
        Fault found = new Fault();
        found.code = element.getAttributeNS(Envelope.EB, "errorCode");
        found.severity = element.getAttributeNS(Envelope.EB, "severity");
        found.location = element.getAttributeNS(Envelope.EB, "location");
        return found;
    }

    boolean acknowledgeable() {
        return !ofMsh() && problem.isEmpty() && ackRequested;
    }

    boolean ofMsh() {
        return Envelope.MSH.equals(service);
    }
}
