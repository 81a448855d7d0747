package ebms;

import com.google.gson.Gson;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import org.apache.xml.security.Init;

/**
 * An MSH for tests, on Apache Santuario and the JDK. It shares no code with the gateway.
 *
 * <p>One JSON object per line on standard input, one per line on standard output: `{"ok": …}`
 * or `{"error": …}`. One process plays several parties.
 */
public final class Main {
    static final Gson GSON = new Gson();

    private final Map<String, Party> parties = new HashMap<>();
    private Bench bench;

    public static void main(String[] arguments) throws Exception {
        Init.init();
        Main main = new Main();
        PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
        BufferedReader lines =
                new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            JsonObject answer = new JsonObject();
            try {
                JsonObject asked = JsonParser.parseString(line).getAsJsonObject();
                answer.add("ok", GSON.toJsonTree(main.run(asked)));
            } catch (Exception | LinkageError e) {
                answer.addProperty("error", Party.describe(e));
            }
            out.println(answer);
            out.flush();
        }
        System.exit(0);
    }

    private Object run(JsonObject asked) throws Exception {
        String name = asked.get("party").getAsString();
        switch (asked.get("do").getAsString()) {
            case "open":
                Party party = new Party(GSON.fromJson(asked.get("keys"), Keys.Files.class));
                parties.put(name, party);
                return party.port();
            case "agree":
                parties.get(name).agree(GSON.fromJson(asked.get("terms"), Terms.class));
                return "";
            case "send":
                return parties.get(name).send(GSON.fromJson(asked.get("message"), Message.class));
            case "resend":
                return parties.get(name).resend();
            case "settle":
                return parties.get(name).settle();
            case "take":
                return parties.get(name).take();
            case "bench":
                Party to = parties.get(asked.get("to").getAsString());
                Message message = GSON.fromJson(asked.get("message"), Message.class);
                bench = new Bench(parties.get(name), to, message, asked.get("schema").getAsString());
                return bench.sealed();
            case "measure":
                return bench.measure(asked.get("what").getAsString(), asked.get("times").getAsInt());
            default:
                throw new IllegalArgumentException("no such command");
        }
    }
}
