package ebms;

import java.io.ByteArrayInputStream;
import java.io.File;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.Base64;
import javax.xml.XMLConstants;
import javax.xml.transform.stream.StreamSource;
import javax.xml.validation.Schema;
import javax.xml.validation.SchemaFactory;

/** What a message costs here: the processor time of one thread, the garbage collector not counted. */
final class Bench {
    private final Party sender;
    private final Party receiver;
    private final Message message;
    private final Schema schema;
    private Mime sealed;

    Bench(Party sender, Party receiver, Message message, String schema) throws Exception {
        this.sender = sender;
        this.receiver = receiver;
        this.message = message;
        this.schema =
                SchemaFactory.newInstance(XMLConstants.W3C_XML_SCHEMA_NS_URI)
                        .newSchema(new File(schema));
        seal();
    }

    Mime sealed() {
        return sealed;
    }

    /** Sign, encrypt, and pack. */
    private void seal() throws Exception {
        sealed = sender.sealed(message, new Party.Sent());
    }

    /** Unpack, parse, decrypt, verify, and judge by the schema. */
    private void open() throws Exception {
        Parsed found = receiver.read(sealed);
        if (!found.problem.isEmpty()) {
            throw new IllegalStateException(found.problem);
        }
        byte[] octets = Base64.getDecoder().decode(found.payloads.get(0));
        schema.newValidator().validate(new StreamSource(new ByteArrayInputStream(octets)));
    }

    /** Seconds for one, over so many. */
    double measure(String what, int times) throws Exception {
        ThreadMXBean threads = ManagementFactory.getThreadMXBean();
        long start = threads.getCurrentThreadCpuTime();
        for (int n = 0; n < times; n++) {
            if (what.equals("seal")) {
                seal();
            } else {
                open();
            }
        }
        return (threads.getCurrentThreadCpuTime() - start) / 1e9 / times;
    }
}
