package ebms;

/** The ways in which programs that all follow the standard differ. */
final class Dialect {
    // --- the envelope
    String soap = "soap";
    /** Empty: elements of ebMS stand in the default namespace. */
    String eb = "eb";
    String ds = "ds";
    boolean pretty = true;
    boolean declaration = true;
    /** `xml:id`s, extension elements, descriptions: what may be ignored. */
    boolean extras;

    // --- the signature
    /** `inclusive`, `exclusive` or `prefixes` (exclusive with a PrefixList). */
    String canonical = "inclusive";
    boolean filter = true;
    boolean keyValue = true;
    /** Whether the line ends of base64 become `&#13;`, as Santuario writes them. */
    boolean carriageReturns = true;
    String hash = "sha256";

    // --- encryption
    /** `mgf1p`, `oaep-sha1`, `oaep-sha256`, `rsa-1_5`. */
    String transport = "mgf1p";
    /** The end of its URI: `aes128-gcm`, `aes256-cbc`, `tripledes-cbc`, …. */
    String cipher = "aes256-gcm";
    /** `@Id` of EncryptedData; empty: none. */
    String encryptedId = "4f1c-is no xs:ID";

    // --- MIME
    boolean quoted = true;
    boolean brackets = true;
    boolean startInfo = true;
    boolean disposition = true;
    boolean preamble;
    /** Header names in small letters, folded lines, tabs. */
    boolean folded;
    /** Content-Transfer-Encoding of all parts; empty: no such header. */
    String encoding = "";
    /** A signal in multipart/related of one part. */
    boolean packedSignals;

    // --- HTTP
    /** `length`, `chunked`, `expect`, `1.0` or `h2` (offered by ALPN). */
    String http = "length";
    boolean quotedAction = true;
    String tls = "TLSv1.3";
}
