import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import javax.security.auth.callback.Callback;
import javax.security.auth.login.AppConfigurationEntry;
import org.apache.kafka.common.security.auth.AuthenticateCallbackHandler;
import org.apache.kafka.common.security.oauthbearer.OAuthBearerToken;
import org.apache.kafka.common.security.oauthbearer.OAuthBearerValidatorCallback;

/**
 * Judges tokens as Amazon MSK does: a presigned request for kafka-cluster:Connect, by keys that the JAAS options name
 * (secret_ACCESSKEY, session_ACCESSKEY), in the region of the option `region`.
 */
public class IamValidator implements AuthenticateCallbackHandler {
    private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmmss'Z'").withZone(ZoneOffset.UTC);
    private Map<String, ?> options;

    @Override
    public void configure(Map<String, ?> configs, String mechanism, List<AppConfigurationEntry> entries) {
        options = entries.get(0).getOptions();
    }

    @Override
    public void handle(Callback[] callbacks) {
        for (Callback callback : callbacks) {
            if (!(callback instanceof OAuthBearerValidatorCallback)) continue;
            OAuthBearerValidatorCallback asked = (OAuthBearerValidatorCallback) callback;
            try {
                asked.token(validated(asked.tokenValue()));
            } catch (Exception refused) {
                asked.error("invalid_token", null, null);
            }
        }
    }

    private OAuthBearerToken validated(String token) throws Exception {
        URI url = new URI(new String(Base64.getUrlDecoder().decode(token), StandardCharsets.UTF_8));
        TreeMap<String, String> signed = new TreeMap<>();
        for (String pair : url.getRawQuery().split("&")) signed.put(pair.split("=", 2)[0], pair.split("=", 2)[1]);
        Map<String, String> query = Map.copyOf(signed);
        signed.remove("X-Amz-Signature");
        if (!signed.remove("User-Agent").startsWith("aws-msk-iam-sasl-signer-js")) throw new Exception("user agent");
        String[] credential = URLDecoder.decode(query.get("X-Amz-Credential"), StandardCharsets.UTF_8).split("/");
        String region = (String) options.get("region");
        String date = query.get("X-Amz-Date");
        Instant start = Instant.from(TIME.parse(date));
        Instant end = start.plusSeconds(Integer.parseInt(query.get("X-Amz-Expires")));
        require(url.getScheme().equals("https") && url.getHost().equals("kafka." + region + ".amazonaws.com"));
        require(query.get("Action").equals("kafka-cluster%3AConnect") && query.get("X-Amz-Expires").equals("900"));
        require(credential[2].equals(region) && credential[3].equals("kafka-cluster") && credential[4].equals("aws4_request"));
        require(date.startsWith(credential[1]) && end.isAfter(Instant.now()) && start.isBefore(Instant.now().plusSeconds(300)));
        Object session = options.get("session_" + credential[0]);
        String given = query.get("X-Amz-Security-Token");
        require(session == null ? given == null : session.equals(URLDecoder.decode(given, StandardCharsets.UTF_8)));
        StringBuilder canonical = new StringBuilder();
        signed.forEach((name, value) -> canonical.append(canonical.isEmpty() ? "" : "&").append(name).append('=').append(value));
        String request = "GET\n/\n" + canonical + "\nhost:" + url.getHost() + "\n\nhost\n" + sha256("");
        String scope = String.join("/", credential[1], credential[2], credential[3], credential[4]);
        byte[] key = ("AWS4" + options.get("secret_" + credential[0])).getBytes(StandardCharsets.UTF_8);
        for (String part : new String[] {credential[1], credential[2], credential[3], credential[4]}) key = hmac(key, part);
        String signature = HexFormat.of().formatHex(hmac(key, "AWS4-HMAC-SHA256\n" + date + "\n" + scope + "\n" + sha256(request)));
        require(signature.equals(query.get("X-Amz-Signature")));
        return new OAuthBearerToken() {
            public String value() { return token; }
            public Set<String> scope() { return Set.of(); }
            public long lifetimeMs() { return end.toEpochMilli(); }
            public String principalName() { return credential[0]; }
            public Long startTimeMs() { return start.toEpochMilli(); }
        };
    }

    private static void require(boolean condition) throws Exception {
        if (!condition) throw new Exception("refused");
    }

    private static String sha256(String text) throws Exception {
        return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8)));
    }

    private static byte[] hmac(byte[] key, String text) throws Exception {
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(key, "HmacSHA256"));
        return mac.doFinal(text.getBytes(StandardCharsets.UTF_8));
    }

    @Override
    public void close() {}
}
