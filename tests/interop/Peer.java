import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.FileInputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.Key;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.SecureRandom;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.InvalidKeySpecException;
import java.security.spec.MGF1ParameterSpec;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import javax.crypto.Cipher;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.OAEPParameterSpec;
import javax.crypto.spec.PSource;
import javax.crypto.spec.SecretKeySpec;
import javax.xml.XMLConstants;
import javax.xml.crypto.OctetStreamData;
import javax.xml.crypto.URIDereferencer;
import javax.xml.crypto.URIReferenceException;
import javax.xml.crypto.dsig.Reference;
import javax.xml.crypto.dsig.SignedInfo;
import javax.xml.crypto.dsig.Transform;
import javax.xml.crypto.dsig.XMLSignature;
import javax.xml.crypto.dsig.XMLSignatureFactory;
import javax.xml.crypto.dsig.dom.DOMSignContext;
import javax.xml.crypto.dsig.dom.DOMValidateContext;
import javax.xml.crypto.dsig.keyinfo.KeyInfo;
import javax.xml.crypto.dsig.keyinfo.KeyInfoFactory;
import javax.xml.crypto.dsig.spec.C14NMethodParameterSpec;
import javax.xml.crypto.dsig.spec.TransformParameterSpec;
import javax.xml.crypto.dsig.spec.XPathFilterParameterSpec;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.transform.OutputKeys;
import javax.xml.transform.Transformer;
import javax.xml.transform.TransformerFactory;
import javax.xml.transform.dom.DOMSource;
import javax.xml.transform.stream.StreamResult;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.Node;
import org.w3c.dom.NodeList;

/**
 * The other end of the interoperability tests, on the JDK alone. It shares no code with the
 * gateway. One command per line on standard input, words separated by a tab; one answer per
 * line: "ok ..." or "no ...".
 */
public final class Peer {
    static final String SOAP = "http://schemas.xmlsoap.org/soap/envelope/";
    static final String XENC = "http://www.w3.org/2001/04/xmlenc#";
    static final String XENC11 = "http://www.w3.org/2009/xmlenc11#";
    static final String DS = "http://www.w3.org/2000/09/xmldsig#";
    static final String NOT_NEXT =
            "not(ancestor-or-self::node()[@soap:actor=\"urn:oasis:names:tc:ebxml-msg:actor:nextMSH\"]"
                    + " | ancestor-or-self::node()"
                    + "[@soap:actor=\"http://schemas.xmlsoap.org/soap/actor/next\"])";

    public static void main(String[] arguments) throws Exception {
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            String answer;
            try {
                answer = run(line.split("\t"));
            } catch (Exception e) {
                answer = "no " + e.getClass().getSimpleName() + " " + e.getMessage();
            }
            System.out.println(answer.replace('\n', ' '));
            System.out.flush();
        }
    }

    static String run(String[] words) throws Exception {
        switch (words[0]) {
            case "verify":
                return verify(words[1], words[2], parts(words, 3));
            case "sign":
                return sign(words);
            case "sign-document":
                return signDocument(words);
            case "encrypt":
                return encrypt(words);
            case "decrypt":
                return decrypt(words[1], words[2], words[3]);
            default:
                return "no such command";
        }
    }

    // --- signature: verify ENVELOPE CERTIFICATE [CID=FILE ...] ---------------------------

    static String verify(String envelope, String certificate, Map<String, byte[]> parts)
            throws Exception {
        Document document = parse(Files.readAllBytes(Path.of(envelope)));
        NodeList found = document.getElementsByTagNameNS(DS, "Signature");
        if (found.getLength() != 1) {
            return "no single signature";
        }
        DOMValidateContext context =
                new DOMValidateContext(certificate(certificate).getPublicKey(), found.item(0));
        XMLSignatureFactory factory = XMLSignatureFactory.getInstance("DOM");
        context.setURIDereferencer(attachments(factory, parts));
        XMLSignature signature = factory.unmarshalXMLSignature(context);
        if (!signature.validate(context)) {
            return signature.getSignatureValue().validate(context) ? "no digest" : "no value";
        }
        List<String> uris = new ArrayList<>();
        for (Reference reference : signature.getSignedInfo().getReferences()) {
            uris.add(reference.getURI());
        }
        return "ok " + String.join(" ", uris);
    }

    // --- sign ENVELOPE KEY CERTIFICATE OUT C14N ALGORITHM [CID=FILE ...] ------------------

    static String sign(String[] words) throws Exception {
        Document document = parse(Files.readAllBytes(Path.of(words[1])));
        Map<String, byte[]> parts = parts(words, 7);
        XMLSignatureFactory factory = XMLSignatureFactory.getInstance("DOM");
        SignedInfo info =
                factory.newSignedInfo(
                        factory.newCanonicalizationMethod(
                                words[5], (C14NMethodParameterSpec) null),
                        factory.newSignatureMethod(words[6], null),
                        references(factory, words[5], parts));
        X509Certificate certificate = certificate(words[3]);
        KeyInfoFactory keys = factory.getKeyInfoFactory();
        KeyInfo keyInfo =
                keys.newKeyInfo(
                        List.of(
                                keys.newKeyValue(certificate.getPublicKey()),
                                keys.newX509Data(List.of(certificate))));
        Element header = (Element) document.getElementsByTagNameNS(SOAP, "Header").item(0);
        DOMSignContext context = new DOMSignContext(privateKey(words[2]), header);
        context.setDefaultNamespacePrefix("ds");
        context.setURIDereferencer(attachments(factory, parts));
        factory.newXMLSignature(info, keyInfo).sign(context);
        write(document, words[4]);
        return "ok";
    }

    static List<Reference> references(
            XMLSignatureFactory factory, String canonicalization, Map<String, byte[]> parts)
            throws GeneralSecurityException {
        String sha256 = XENC + "sha256";
        List<Transform> transforms =
                List.of(
                        factory.newTransform(Transform.ENVELOPED, (TransformParameterSpec) null),
                        factory.newTransform(
                                Transform.XPATH,
                                new XPathFilterParameterSpec(NOT_NEXT, Map.of("soap", SOAP))),
                        factory.newTransform(canonicalization, (TransformParameterSpec) null));
        List<Reference> references = new ArrayList<>();
        references.add(
                factory.newReference(
                        "", factory.newDigestMethod(sha256, null), transforms, null, null));
        for (String cid : parts.keySet()) {
            references.add(
                    factory.newReference("cid:" + cid, factory.newDigestMethod(sha256, null)));
        }
        return references;
    }

    // --- sign-document DOCUMENT KEY CERTIFICATE OUT ALGORITHM -----------------------------

    static String signDocument(String[] words) throws Exception {
        Document document = parse(Files.readAllBytes(Path.of(words[1])));
        XMLSignatureFactory factory = XMLSignatureFactory.getInstance("DOM");
        String exclusive = "http://www.w3.org/2001/10/xml-exc-c14n#";
        Reference whole =
                factory.newReference(
                        "",
                        factory.newDigestMethod(XENC + "sha256", null),
                        List.of(
                                factory.newTransform(
                                        Transform.ENVELOPED, (TransformParameterSpec) null),
                                factory.newTransform(exclusive, (TransformParameterSpec) null)),
                        null,
                        null);
        SignedInfo info =
                factory.newSignedInfo(
                        factory.newCanonicalizationMethod(
                                exclusive, (C14NMethodParameterSpec) null),
                        factory.newSignatureMethod(words[5], null),
                        List.of(whole));
        KeyInfoFactory keys = factory.getKeyInfoFactory();
        KeyInfo keyInfo =
                keys.newKeyInfo(List.of(keys.newX509Data(List.of(certificate(words[3])))));
        DOMSignContext context =
                new DOMSignContext(privateKey(words[2]), document.getDocumentElement());
        context.setDefaultNamespacePrefix("ds");
        factory.newXMLSignature(info, keyInfo).sign(context);
        write(document, words[4]);
        return "ok";
    }

    static URIDereferencer attachments(XMLSignatureFactory factory, Map<String, byte[]> parts) {
        return (reference, context) -> {
            String uri = reference.getURI();
            if (uri == null || !uri.startsWith("cid:")) {
                return factory.getURIDereferencer().dereference(reference, context);
            }
            byte[] octets = parts.get(uri.substring(4));
            if (octets == null) {
                throw new URIReferenceException("no such part");
            }
            return new OctetStreamData(new ByteArrayInputStream(octets));
        };
    }

    // --- encryption: encrypt FILE CERTIFICATE OUT old|new ---------------------------------

    static String encrypt(String[] words) throws Exception {
        boolean old = words[4].equals("old");
        byte[] key = random(32);
        byte[] nonce = random(12);
        Cipher gcm = Cipher.getInstance("AES/GCM/NoPadding");
        gcm.init(
                Cipher.ENCRYPT_MODE,
                new SecretKeySpec(key, "AES"),
                new GCMParameterSpec(128, nonce));
        byte[] sealed = gcm.doFinal(Files.readAllBytes(Path.of(words[1])));
        byte[] cipher = Arrays.copyOf(nonce, nonce.length + sealed.length);
        System.arraycopy(sealed, 0, cipher, nonce.length, sealed.length);
        Cipher oaep =
                oaep(
                        Cipher.ENCRYPT_MODE,
                        certificate(words[2]).getPublicKey(),
                        old ? "SHA-1" : "SHA-256",
                        old ? "SHA-1" : "SHA-256");
        String method =
                old
                        ? "<x:EncryptionMethod Algorithm=\"" + XENC + "rsa-oaep-mgf1p\"/>"
                        : "<x:EncryptionMethod Algorithm=\"" + XENC11 + "rsa-oaep\">"
                                + "<d:DigestMethod Algorithm=\"" + XENC + "sha256\"/>"
                                + "<m:MGF xmlns:m=\"" + XENC11 + "\" Algorithm=\"" + XENC11
                                + "mgf1sha256\"/></x:EncryptionMethod>";
        String text =
                "<x:EncryptedData xmlns:x=\"" + XENC + "\" Id=\"5f0c1a-not-an-id@\" "
                        + "MimeType=\"application/xml\" Type=\"" + XENC + "Element\">\n"
                        + "<x:EncryptionMethod Algorithm=\"" + XENC11 + "aes256-gcm\"/>\n"
                        + "<d:KeyInfo xmlns:d=\"" + DS + "\"><x:EncryptedKey>" + method
                        + "<d:KeyInfo><d:KeyName>somebody</d:KeyName></d:KeyInfo>"
                        + value(oaep.doFinal(key)) + "</x:EncryptedKey></d:KeyInfo>\n"
                        + value(cipher) + "</x:EncryptedData>";
        Files.writeString(Path.of(words[3]), text);
        return "ok";
    }

    static String value(byte[] octets) {
        String text = Base64.getMimeEncoder().encodeToString(octets).replace("\r", "&#13;");
        return "<x:CipherData><x:CipherValue>" + text + "</x:CipherValue></x:CipherData>";
    }

    // --- decrypt PART KEY OUT -------------------------------------------------------------

    static String decrypt(String part, String key, String out) throws Exception {
        Element data = parse(Files.readAllBytes(Path.of(part))).getDocumentElement();
        Element wrapped = (Element) data.getElementsByTagNameNS(XENC, "EncryptedKey").item(0);
        Element method = child(wrapped, XENC, "EncryptionMethod");
        if (!method.getAttribute("Algorithm").equals(XENC11 + "rsa-oaep")) {
            return "no key transport " + method.getAttribute("Algorithm");
        }
        String digest = child(method, DS, "DigestMethod").getAttribute("Algorithm");
        String mgf = child(method, XENC11, "MGF").getAttribute("Algorithm");
        if (!digest.endsWith("#sha256") || !mgf.endsWith("#mgf1sha256")) {
            return "no hashes";
        }
        Cipher oaep = oaep(Cipher.DECRYPT_MODE, privateKey(key), "SHA-256", "SHA-256");
        byte[] content = oaep.doFinal(cipherValue(wrapped));
        byte[] cipher = cipherValue(data);
        Cipher gcm = Cipher.getInstance("AES/GCM/NoPadding");
        gcm.init(
                Cipher.DECRYPT_MODE,
                new SecretKeySpec(content, "AES"),
                new GCMParameterSpec(128, cipher, 0, 12));
        Files.write(Path.of(out), gcm.doFinal(cipher, 12, cipher.length - 12));
        return "ok " + child(data, XENC, "EncryptionMethod").getAttribute("Algorithm");
    }

    static byte[] cipherValue(Element parent) {
        Element value = child(child(parent, XENC, "CipherData"), XENC, "CipherValue");
        return Base64.getMimeDecoder().decode(value.getTextContent());
    }

    static Element child(Element parent, String namespace, String name) {
        for (Node n = parent.getFirstChild(); n != null; n = n.getNextSibling()) {
            if (namespace.equals(n.getNamespaceURI()) && name.equals(n.getLocalName())) {
                return (Element) n;
            }
        }
        throw new IllegalArgumentException(name + " is missing");
    }

    static Cipher oaep(int mode, Key key, String digest, String mgf)
            throws GeneralSecurityException {
        Cipher cipher = Cipher.getInstance("RSA/ECB/OAEPPadding");
        cipher.init(
                mode,
                key,
                new OAEPParameterSpec(
                        digest,
                        "MGF1",
                        new MGF1ParameterSpec(mgf),
                        PSource.PSpecified.DEFAULT));
        return cipher;
    }

    // --- files ----------------------------------------------------------------------------

    static Map<String, byte[]> parts(String[] words, int from) throws Exception {
        Map<String, byte[]> parts = new LinkedHashMap<>();
        for (String word : Arrays.copyOfRange(words, from, words.length)) {
            int at = word.indexOf('=');
            parts.put(word.substring(0, at), Files.readAllBytes(Path.of(word.substring(at + 1))));
        }
        return parts;
    }

    static Document parse(byte[] octets) throws Exception {
        DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
        factory.setNamespaceAware(true);
        factory.setFeature(XMLConstants.FEATURE_SECURE_PROCESSING, true);
        factory.setFeature("http://apache.org/xml/features/disallow-doctype-decl", true);
        return factory.newDocumentBuilder().parse(new ByteArrayInputStream(octets));
    }

    static void write(Document document, String path) throws Exception {
        Transformer transformer = TransformerFactory.newInstance().newTransformer();
        transformer.setOutputProperty(OutputKeys.ENCODING, "UTF-8");
        try (OutputStream out = Files.newOutputStream(Path.of(path))) {
            transformer.transform(new DOMSource(document), new StreamResult(out));
        }
    }

    static X509Certificate certificate(String path) throws Exception {
        try (FileInputStream in = new FileInputStream(path)) {
            return (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(in);
        }
    }

    static PrivateKey privateKey(String path) throws Exception {
        PKCS8EncodedKeySpec spec = new PKCS8EncodedKeySpec(Files.readAllBytes(Path.of(path)));
        try {
            return KeyFactory.getInstance("RSA").generatePrivate(spec);
        } catch (InvalidKeySpecException e) {
            return KeyFactory.getInstance("EC").generatePrivate(spec);
        }
    }

    static byte[] random(int size) {
        byte[] octets = new byte[size];
        new SecureRandom().nextBytes(octets);
        return octets;
    }
}
