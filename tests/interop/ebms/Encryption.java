package ebms;

import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.security.Key;
import java.util.ArrayList;
import java.util.List;
import javax.crypto.KeyGenerator;
import org.apache.xml.security.encryption.EncryptedData;
import org.apache.xml.security.encryption.EncryptedKey;
import org.apache.xml.security.encryption.XMLCipher;
import org.apache.xml.security.keys.KeyInfo;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;

/** Encrypted parts by Santuario: a whole part in one EncryptedData. */
final class Encryption {
    private static final String XENC = "http://www.w3.org/2001/04/xmlenc#";
    private static final String XENC11 = "http://www.w3.org/2009/xmlenc11#";
    private static final String ELEMENT = XENC + "Element";

    private Encryption() {}

    static byte[] encrypt(byte[] octets, Keys keys, Dialect dialect) throws Exception {
        Document document = Xml.parse("<empty/>".getBytes(StandardCharsets.UTF_8));
        Key content = contentKey(dialect.cipher);
        boolean gcm = dialect.cipher.endsWith("-gcm");
        XMLCipher cipher = XMLCipher.getInstance((gcm ? XENC11 : XENC) + dialect.cipher);
        cipher.init(XMLCipher.ENCRYPT_MODE, content);
        EncryptedData data =
                cipher.encryptData(document, ELEMENT, new ByteArrayInputStream(octets));
        if (!dialect.encryptedId.isEmpty()) {
            data.setId(dialect.encryptedId);
        }
        data.setMimeType("application/xml");
        KeyInfo inner = new KeyInfo(document);
        inner.addKeyName(keys.partnerReader.getSubjectX500Principal().getName());
        EncryptedKey wrapped = wrap(document, content, keys, dialect);
        wrapped.setKeyInfo(inner);
        KeyInfo outer = new KeyInfo(document);
        outer.add(wrapped);
        data.setKeyInfo(outer);
        document.replaceChild(cipher.martial(data), document.getDocumentElement());
        return Xml.write(document, true);
    }

    private static Key contentKey(String cipher) throws Exception {
        boolean triple = cipher.startsWith("tripledes");
        KeyGenerator generator = KeyGenerator.getInstance(triple ? "DESede" : "AES");
        generator.init(triple ? 168 : Integer.parseInt(cipher.substring(3, 6)));
        return generator.generateKey();
    }

    private static EncryptedKey wrap(
            Document document, Key content, Keys keys, Dialect dialect) throws Exception {
        Key reader = keys.partnerReader.getPublicKey();
        if (!dialect.transport.startsWith("oaep-")) {
            boolean old = dialect.transport.equals("rsa-1_5");
            XMLCipher cipher =
                    XMLCipher.getInstance(old ? XMLCipher.RSA_v1dot5 : XMLCipher.RSA_OAEP);
            cipher.init(XMLCipher.WRAP_MODE, reader);
            return cipher.encryptKey(document, content);
        }
        String hash = dialect.transport.substring("oaep-".length());
        String digest = hash.equals("sha1") ? Envelope.DS + hash : XENC + hash;
        XMLCipher cipher = XMLCipher.getInstance(XMLCipher.RSA_OAEP_11, null, digest);
        cipher.init(XMLCipher.WRAP_MODE, reader);
        return cipher.encryptKey(document, content, XENC11 + "mgf1" + hash, null);
    }

    /** `strict`: without RSA-1.5 and what else Santuario calls insecure. */
    static byte[] decrypt(byte[] octets, Keys keys, boolean strict) throws Exception {
        Document document = Xml.parse(octets);
        Element root = document.getDocumentElement();
        if (!XENC.equals(root.getNamespaceURI()) || !"EncryptedData".equals(root.getLocalName())) {
            throw new SecurityException("part is not encrypted");
        }
        XMLCipher cipher = XMLCipher.getInstance();
        cipher.setSecureValidation(strict);
        cipher.init(XMLCipher.DECRYPT_MODE, null);
        cipher.setKEK(keys.decrypting);
        return cipher.decryptToByteArray(root);
    }

    /** The ends of the URIs: of the cipher, then of what wraps its key. */
    static List<String> methods(byte[] octets) throws Exception {
        NodeList found = Xml.parse(octets).getElementsByTagNameNS(XENC, "EncryptionMethod");
        List<String> names = new ArrayList<>();
        for (int n = 0; n < found.getLength(); n++) {
            String uri = ((Element) found.item(n)).getAttribute("Algorithm");
            names.add(uri.substring(uri.indexOf('#') + 1));
        }
        return names;
    }
}
