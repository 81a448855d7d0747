package ebms;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Messages of several parts, written in many ways and read in one. */
final class Mime {
    private static final String EOL = "\r\n";
    private static final Pattern PARAMETER =
            Pattern.compile(";\\s*([\\w-]+)\\s*=\\s*(?:\"([^\"]*)\"|([^;\\s]+))");

    final String contentType;
    final byte[] body;

    Mime(String contentType, byte[] body) {
        this.contentType = contentType;
        this.body = body;
    }

    // --- writing ----------------------------------------------------------------------

    /** A root part and the others by Content-ID; all others are `application/xml`. */
    static Mime write(byte[] root, String rootId, Map<String, byte[]> parts, Dialect dialect) {
        if (parts.isEmpty() && !dialect.packedSignals) {
            return new Mime("text/xml; charset=UTF-8", root);
        }
        String boundary = dialect.quoted ? "-=" + UUID.randomUUID() + "=-" : "MIME_" + UUID.randomUUID();
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        if (dialect.preamble) {
            text(out, "This is a multi-part message in MIME format." + EOL + EOL);
        }
        part(out, boundary, "text/xml; charset=" + quoted("UTF-8", dialect), rootId, root, dialect);
        parts.forEach((id, octets) -> part(out, boundary, "application/xml", id, octets, dialect));
        text(out, "--" + boundary + "--" + EOL + (dialect.preamble ? "the end" + EOL : ""));
        String gap = dialect.folded ? ";  " : "; ";
        String type =
                "multipart/related" + gap + "boundary=" + quoted(boundary, dialect) + gap + "type="
                        + (dialect.quoted ? "\"text/xml\"" : "text/xml") + gap + "start=\"<" + rootId
                        + ">\"" + (dialect.startInfo ? gap + "start-info=\"text/xml\"" : "");
        return new Mime(type, out.toByteArray());
    }

    private static String quoted(String value, Dialect dialect) {
        return dialect.quoted ? '"' + value + '"' : value;
    }

    private static void part(
            ByteArrayOutputStream out,
            String boundary,
            String type,
            String id,
            byte[] octets,
            Dialect dialect) {
        text(out, "--" + boundary + EOL);
        header(out, "Content-Type", type, dialect);
        header(out, "Content-ID", dialect.brackets ? "<" + id + ">" : id, dialect);
        if (!dialect.encoding.isEmpty()) {
            header(out, "Content-Transfer-Encoding", dialect.encoding, dialect);
        }
        if (dialect.disposition && !type.startsWith("text/xml")) {
            header(out, "Content-Disposition", "attachment; filename=\"bericht.xml\"", dialect);
        }
        text(out, EOL);
        out.writeBytes(encoded(octets, dialect.encoding.toLowerCase(Locale.ROOT)));
        text(out, EOL);
    }

    private static void header(
            ByteArrayOutputStream out, String name, String value, Dialect dialect) {
        if (dialect.folded) {
            text(out, name.toLowerCase(Locale.ROOT) + ":" + EOL + "\t" + value + EOL);
        } else {
            text(out, name + ": " + value + EOL);
        }
    }

    private static byte[] encoded(byte[] octets, String encoding) {
        switch (encoding) {
            case "base64":
                return Base64.getMimeEncoder().encode(octets);
            case "quoted-printable":
                return quotedPrintable(octets);
            default:
                return octets;
        }
    }

    /** All that is not printable is quoted, and line ends too: nothing may be changed by them. */
    private static byte[] quotedPrintable(byte[] octets) {
        StringBuilder out = new StringBuilder();
        int column = 0;
        for (byte one : octets) {
            boolean plain = one > ' ' && one < 127 && one != '=';
            String next = plain ? "" + (char) one : String.format("=%02X", one & 0xff);
            if (column + next.length() > 75) {
                out.append("=").append(EOL);
                column = 0;
            }
            out.append(next);
            column += next.length();
        }
        return out.toString().getBytes(StandardCharsets.US_ASCII);
    }

    private static void text(ByteArrayOutputStream out, String text) {
        out.writeBytes(text.getBytes(StandardCharsets.UTF_8));
    }

    // --- reading ----------------------------------------------------------------------

    /** The parts by Content-ID, the root first, under the empty name. */
    Map<String, byte[]> parts() {
        Map<String, byte[]> parts = new LinkedHashMap<>();
        if (contentType.toLowerCase(Locale.ROOT).startsWith("text/xml")) {
            parts.put("", body);
            return parts;
        }
        Map<String, String> parameters = parameters(contentType);
        // Octets as characters, so that positions are the same.
        String all = EOL + new String(body, StandardCharsets.ISO_8859_1);
        String delimiter = EOL + "--" + parameters.get("boundary");
        String[] pieces = all.split(Pattern.quote(delimiter), -1);
        if (pieces.length < 3 || !pieces[pieces.length - 1].startsWith("--")) {
            throw new IllegalArgumentException("no end of the last part");
        }
        for (int n = 1; n < pieces.length - 1; n++) {
            int blank = pieces[n].indexOf(EOL + EOL);
            String id = contentId(pieces[n].substring(0, blank + 2));
            boolean root = n == 1 || id.equals(parameters.get("start"));
            byte[] octets = pieces[n].substring(blank + 4).getBytes(StandardCharsets.ISO_8859_1);
            parts.put(root ? "" : id.replaceAll("[<>]", ""), octets);
        }
        return parts;
    }

    private static Map<String, String> parameters(String contentType) {
        Map<String, String> parameters = new LinkedHashMap<>();
        Matcher matcher = PARAMETER.matcher(contentType);
        while (matcher.find()) {
            String value = matcher.group(2) != null ? matcher.group(2) : matcher.group(3);
            parameters.put(matcher.group(1).toLowerCase(Locale.ROOT), value);
        }
        return parameters;
    }

    private static String contentId(String headers) {
        for (String line : headers.split(EOL)) {
            int colon = line.indexOf(':');
            if (colon > 0 && line.substring(0, colon).equalsIgnoreCase("Content-ID")) {
                return line.substring(colon + 1).trim();
            }
        }
        throw new IllegalArgumentException("a part has no Content-ID");
    }
}
