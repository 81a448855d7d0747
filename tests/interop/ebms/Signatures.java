package ebms;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.xml.security.c14n.Canonicalizer;
import org.apache.xml.security.signature.Reference;
import org.apache.xml.security.signature.XMLSignature;
import org.apache.xml.security.signature.XMLSignatureByteInput;
import org.apache.xml.security.signature.XMLSignatureInput;
import org.apache.xml.security.transforms.Transforms;
import org.apache.xml.security.transforms.params.InclusiveNamespaces;
import org.apache.xml.security.transforms.params.XPathContainer;
import org.apache.xml.security.utils.XMLUtils;
import org.apache.xml.security.utils.resolver.ResourceResolverContext;
import org.apache.xml.security.utils.resolver.ResourceResolverSpi;
import org.w3c.dom.Document;
import org.w3c.dom.Element;

/** The signature of ebMS 2.0 (4.1.3) by Santuario. */
final class Signatures {
    private static final String MORE = "http://www.w3.org/2001/04/xmldsig-more#";
    private static final String NOT_NEXT =
            "not(ancestor-or-self::node()[@%1$s:actor=\"urn:oasis:names:tc:ebxml-msg:actor:nextMSH\"]"
                    + " | ancestor-or-self::node()"
                    + "[@%1$s:actor=\"http://schemas.xmlsoap.org/soap/actor/next\"])";

    private Signatures() {}

    static void sign(Document document, Map<String, byte[]> parts, Keys keys, Dialect dialect)
            throws Exception {
        String digest = digest(dialect.hash);
        // The prefix is a setting of the whole library.
        synchronized (XMLUtils.class) {
            XMLUtils.setDsPrefix(dialect.ds);
            XMLSignature signature =
                    new XMLSignature(
                            document,
                            "",
                            algorithm(keys, dialect.hash),
                            method(dialect));
            Element header =
                    Xml.child(document.getDocumentElement(), Envelope.SOAP, "Header");
            header.appendChild(signature.getElement());
            signature.addResourceResolver(new Parts(parts));
            signature.addDocument("", transforms(document, dialect), digest);
            for (String id : parts.keySet()) {
                signature.addDocument("cid:" + id, null, digest);
            }
            if (dialect.keyValue) {
                signature.addKeyInfo(keys.signer.getPublicKey());
            }
            signature.addKeyInfo(keys.signer);
            signature.sign(keys.signing);
            XMLUtils.setDsPrefix("ds");
        }
    }

    private static String algorithm(Keys keys, String hash) {
        String kind = keys.signing.getAlgorithm().equals("EC") ? "ecdsa-" : "rsa-";
        return (hash.equals("sha1") ? Envelope.DS : MORE) + kind + hash;
    }

    private static String digest(String hash) {
        switch (hash) {
            case "sha1":
                return Envelope.DS + hash;
            case "sha384":
                return MORE + hash;
            default:
                return "http://www.w3.org/2001/04/xmlenc#" + hash;
        }
    }

    private static String method(Dialect dialect) {
        return dialect.canonical.equals("inclusive")
                ? Canonicalizer.ALGO_ID_C14N_OMIT_COMMENTS
                : Canonicalizer.ALGO_ID_C14N_EXCL_OMIT_COMMENTS;
    }

    private static Transforms transforms(Document document, Dialect dialect) throws Exception {
        Transforms transforms = new Transforms(document);
        transforms.addTransform(Transforms.TRANSFORM_ENVELOPED_SIGNATURE);
        if (dialect.filter) {
            XPathContainer filter = new XPathContainer(document);
            filter.setXPathNamespaceContext(dialect.soap, Envelope.SOAP);
            filter.setXPath(String.format(NOT_NEXT, dialect.soap));
            transforms.addTransform(
                    Transforms.TRANSFORM_XPATH, filter.getElementPlusReturns());
        }
        if (dialect.canonical.equals("prefixes")) {
            InclusiveNamespaces names =
                    new InclusiveNamespaces(document, Set.of(dialect.soap, "xlink"));
            transforms.addTransform(method(dialect), names.getElement());
        } else {
            transforms.addTransform(method(dialect));
        }
        return transforms;
    }

    /** Verify, and return what was signed; throws when it is not all of the message. */
    static List<Parsed.Reference> verify(
            Document document, Map<String, byte[]> parts, Keys keys) throws Exception {
        Element found = Xml.only(document, Envelope.DS, "Signature");
        XMLSignature signature = new XMLSignature(found, "", true);
        signature.addResourceResolver(new Parts(parts));
        if (!signature.checkSignatureValue(keys.partnerSigner)) {
            throw new SecurityException("signature is not right");
        }
        List<Parsed.Reference> references = new ArrayList<>();
        List<String> expected = new ArrayList<>(List.of(""));
        parts.keySet().forEach(id -> expected.add("cid:" + id));
        for (int n = 0; n < signature.getSignedInfo().getLength(); n++) {
            Reference one = signature.getSignedInfo().item(n);
            references.add(Parsed.Reference.of(one.getElement()));
            expected.remove(one.getURI());
        }
        if (!expected.isEmpty()) {
            throw new SecurityException("not signed: " + expected);
        }
        return references;
    }

    /** Gives the octets of a part for its `cid:`. */
    private static final class Parts extends ResourceResolverSpi {
        private final Map<String, byte[]> parts;

        Parts(Map<String, byte[]> parts) {
            this.parts = parts;
        }

        @Override
        public boolean engineCanResolveURI(ResourceResolverContext context) {
            return context.uriToResolve != null && context.uriToResolve.startsWith("cid:");
        }

        @Override
        public XMLSignatureInput engineResolveURI(ResourceResolverContext context) {
            byte[] octets = parts.get(context.uriToResolve.substring("cid:".length()));
            if (octets == null) {
                throw new SecurityException("no part " + context.uriToResolve);
            }
            return new XMLSignatureByteInput(octets);
        }
    }
}
