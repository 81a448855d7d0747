package ebms;

import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A message to send, as the test asks for it. */
final class Message {
    String action;
    String messageId;
    String conversationId;
    String refToMessageId;
    /** Base64, in order. */
    List<String> payloads = List.of();
    /** Of the parts; made from the MessageId where the test gives none. */
    List<String> contentIds = List.of();

    /** Values that differ from the agreement: `cpa`, `action`, `ack`, `role`, `version`. */
    Map<String, String> instead = Map.of();

    /** What is done to it behind the signature: `payload` or `header`. */
    String tamper = "";

    Dialect dialect = new Dialect();

    /** MSH requests go without a payload, to the service of the MSH. */
    boolean ofMsh() {
        return payloads.isEmpty();
    }

    Map<String, byte[]> parts() {
        Map<String, byte[]> parts = new LinkedHashMap<>();
        for (int n = 0; n < payloads.size(); n++) {
            String id = n < contentIds.size() ? contentIds.get(n) : "part-" + n + "-" + messageId;
            parts.put(id, Base64.getDecoder().decode(payloads.get(n)));
        }
        return parts;
    }
}
