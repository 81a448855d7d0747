package ebms;

import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.InvalidKeySpecException;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.List;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/** The keys of one party, and the certificates of its partner. */
final class Keys {
    /** As they come from the test, PEM. */
    static final class Files {
        Pair tls;
        Pair sign;
        Pair encrypt;
        String anchors;
        String partnerSign;
        String partnerEncrypt;
    }

    static final class Pair {
        String key;
        String certificates;
    }

    final PrivateKey signing;
    final X509Certificate signer;
    final PrivateKey decrypting;
    final X509Certificate partnerSigner;
    final X509Certificate partnerReader;
    final SSLContext tls;

    Keys(Files files) throws Exception {
        signing = key(files.sign.key);
        signer = certificates(files.sign.certificates).get(0);
        decrypting = key(files.encrypt.key);
        partnerSigner = certificates(files.partnerSign).get(0);
        partnerReader = certificates(files.partnerEncrypt).get(0);
        tls = context(files);
    }

    private static SSLContext context(Files files) throws Exception {
        char[] none = new char[0];
        KeyStore own = empty();
        own.setKeyEntry(
                "own",
                key(files.tls.key),
                none,
                certificates(files.tls.certificates).toArray(new Certificate[0]));
        KeyManagerFactory keys = KeyManagerFactory.getInstance("PKIX");
        keys.init(own, none);
        KeyStore anchors = empty();
        for (X509Certificate anchor : certificates(files.anchors)) {
            anchors.setCertificateEntry(anchor.getSerialNumber().toString(), anchor);
        }
        TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
        trust.init(anchors);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
        return context;
    }

    private static KeyStore empty() throws Exception {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        return store;
    }

    @SuppressWarnings("unchecked")
    private static List<X509Certificate> certificates(String pem) throws GeneralSecurityException {
        InputStream in = new ByteArrayInputStream(pem.getBytes(StandardCharsets.US_ASCII));
        Object found = CertificateFactory.getInstance("X.509").generateCertificates(in);
        return List.copyOf((java.util.Collection<X509Certificate>) found);
    }

    private static PrivateKey key(String pem) throws GeneralSecurityException {
        String text = pem.replaceAll("-----[A-Z ]+-----", "").replaceAll("\\s", "");
        PKCS8EncodedKeySpec spec = new PKCS8EncodedKeySpec(Base64.getDecoder().decode(text));
        try {
            return KeyFactory.getInstance("RSA").generatePrivate(spec);
        } catch (InvalidKeySpecException e) {
            return KeyFactory.getInstance("EC").generatePrivate(spec);
        }
    }
}
