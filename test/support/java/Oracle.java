/** The foreign reader: Kafka's own Java client, asked in JSON lines on standard input, answering on standard output. */
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.clients.producer.internals.BuiltInPartitioner;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

public class Oracle {
    static final ObjectMapper JSON = new ObjectMapper();
    static final Base64.Encoder BASE64 = Base64.getEncoder();
    static final int LINE_CHARACTERS = 256 * 1024;
    static final BufferedWriter OUT =
        new BufferedWriter(new OutputStreamWriter(System.out, StandardCharsets.UTF_8), 1 << 16);
    static final Map<String, Admin> ADMINS = new ConcurrentHashMap<>();
    static final Map<String, KafkaProducer<byte[], byte[]>> PRODUCERS = new ConcurrentHashMap<>();

    /** The asker says "more" for each line of records it is done with, so that a large topic fills nobody's memory. */
    static final int LINES_AHEAD = 16;
    static final Map<Integer, Semaphore> READS = new ConcurrentHashMap<>();

    /** Answers each line in a thread of its own; ends when standard input does. */
    public static void main(String[] arguments) throws IOException {
        System.setOut(System.err); // whatever a library prints is no answer
        ExecutorService threads = Executors.newCachedThreadPool();
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            JsonNode request = JSON.readTree(line);
            if (request.has("more")) READS.getOrDefault(request.get("more").asInt(), new Semaphore(0)).release();
            else threads.submit(() -> answer(request));
        }
        System.exit(0);
    }

    static void answer(JsonNode request) {
        ObjectNode answer = JSON.createObjectNode();
        answer.set("id", request.get("id"));
        try {
            answer.set("result", carryOut(request));
        } catch (Throwable thrown) {
            Throwable cause = thrown instanceof ExecutionException ? thrown.getCause() : thrown;
            answer.put("error", cause.getClass().getSimpleName() + ": " + cause.getMessage());
        }
        print(answer.toString());
    }

    static synchronized void print(String line) {
        try {
            OUT.write(line);
            OUT.write('\n');
            OUT.flush();
        } catch (IOException gone) {
            Runtime.getRuntime().halt(1);
        }
    }

    static JsonNode carryOut(JsonNode request) throws Exception {
        switch (request.get("command").asText()) {
            case "hello": return JSON.createObjectNode().put("java", Runtime.version().feature());
            case "createTopic": return createTopic(request);
            case "deleteTopic": return deleteTopic(request);
            case "addPartitions": return addPartitions(request);
            case "configureTopic": return configureTopic(request);
            case "describe": return describe(request);
            case "endOffsets": return endOffsets(request);
            case "read": return read(request);
            case "partitionsFor": return partitionsFor(request);
            case "produce": return produce(request);
            case "electPreferred": return electPreferred(request);
            case "setClientQuota": return setClientQuota(request);
            case "setScramPassword": return setScramPassword(request);
            case "denyTopic": return denyTopic(request);
            default: throw new IllegalArgumentException("no such command: " + request.get("command"));
        }
    }

    // Topics

    static JsonNode createTopic(JsonNode request) throws Exception {
        String topic = request.get("topic").asText();
        short replication = (short) request.path("replication").asInt(-1);
        NewTopic wanted =
            new NewTopic(topic, Optional.of(request.path("partitions").asInt(1)), replication < 0 ? Optional.empty() : Optional.of(replication));
        wanted.configs(texts(request.path("config")));
        admin(request).createTopics(List.of(wanted)).all().get();
        awaitLeaders(request, topic, request.path("partitions").asInt(1));
        return null;
    }

    static JsonNode addPartitions(JsonNode request) throws Exception {
        String topic = request.get("topic").asText();
        int count = request.get("partitions").asInt();
        admin(request).createPartitions(Map.of(topic, NewPartitions.increaseTo(count))).all().get();
        awaitLeaders(request, topic, count);
        return null;
    }

    static JsonNode deleteTopic(JsonNode request) throws Exception {
        String topic = request.get("topic").asText();
        admin(request).deleteTopics(List.of(topic)).all().get();
        while (exists(request, topic)) Thread.sleep(10);
        return null;
    }

    static JsonNode configureTopic(JsonNode request) throws Exception {
        ConfigResource topic = new ConfigResource(ConfigResource.Type.TOPIC, request.get("topic").asText());
        Collection<AlterConfigOp> changes = new ArrayList<>();
        texts(request.get("config")).forEach((name, value) ->
            changes.add(new AlterConfigOp(new ConfigEntry(name, value), AlterConfigOp.OpType.SET)));
        admin(request).incrementalAlterConfigs(Map.of(topic, changes)).all().get();
        return null;
    }

    /** Each partition's leadership goes back to the first of its replicas. */
    static JsonNode electPreferred(JsonNode request) throws Exception {
        try {
            admin(request).electLeaders(org.apache.kafka.common.ElectionType.PREFERRED, null).all().get();
        } catch (ExecutionException error) {
            if (!(error.getCause() instanceof org.apache.kafka.common.errors.ElectionNotNeededException)) throw error;
        }
        return null;
    }

    /** Bytes a second that producers of any client id may send to each broker; none given: no limit. */
    static JsonNode setClientQuota(JsonNode request) throws Exception {
        var entity = new org.apache.kafka.common.quota.ClientQuotaEntity(java.util.Collections.singletonMap("client-id", null));
        Double limit = request.hasNonNull("bytesPerSecond") ? request.get("bytesPerSecond").asDouble() : null;
        var change = new org.apache.kafka.common.quota.ClientQuotaAlteration.Op("producer_byte_rate", limit);
        var alteration = new org.apache.kafka.common.quota.ClientQuotaAlteration(entity, List.of(change));
        admin(request).alterClientQuotas(List.of(alteration)).all().get();
        return null;
    }

    /** For both SCRAM mechanisms. */
    static JsonNode setScramPassword(JsonNode request) throws Exception {
        for (var mechanism : List.of(
            org.apache.kafka.clients.admin.ScramMechanism.SCRAM_SHA_256,
            org.apache.kafka.clients.admin.ScramMechanism.SCRAM_SHA_512)) {
            // Kafka takes one mechanism of a user in a request.
            admin(request).alterUserScramCredentials(List.of(
                new org.apache.kafka.clients.admin.UserScramCredentialUpsertion(
                    request.get("username").asText(),
                    new org.apache.kafka.clients.admin.ScramCredentialInfo(mechanism, 4096),
                    request.get("password").asText()))).all().get();
        }
        return null;
    }

    /** A user may do nothing with a topic, or may again: needs a broker with an authorizer. */
    static JsonNode denyTopic(JsonNode request) throws Exception {
        var pattern = new org.apache.kafka.common.resource.ResourcePattern(
            org.apache.kafka.common.resource.ResourceType.TOPIC,
            request.get("topic").asText(),
            org.apache.kafka.common.resource.PatternType.LITERAL);
        var entry = new org.apache.kafka.common.acl.AccessControlEntry(
            request.get("principal").asText(),
            "*",
            org.apache.kafka.common.acl.AclOperation.valueOf(request.get("operation").asText()),
            org.apache.kafka.common.acl.AclPermissionType.DENY);
        var binding = new org.apache.kafka.common.acl.AclBinding(pattern, entry);
        if (request.get("denied").asBoolean()) admin(request).createAcls(List.of(binding)).all().get();
        else admin(request).deleteAcls(List.of(binding.toFilter())).all().get();
        return null;
    }

    static JsonNode describe(JsonNode request) throws Exception {
        String topic = request.get("topic").asText();
        TopicDescription description = description(request, topic);
        ObjectNode answer = JSON.createObjectNode().put("topic", topic);
        ArrayNode partitions = answer.putArray("partitions");
        description.partitions().forEach(partition -> {
            ObjectNode one = partitions.addObject().put("partition", partition.partition());
            one.put("leader", partition.leader() == null ? -1 : partition.leader().id());
            ArrayNode replicas = one.putArray("replicas");
            partition.replicas().forEach(node -> replicas.add(node.id()));
            ArrayNode inSync = one.putArray("inSync");
            partition.isr().forEach(node -> inSync.add(node.id()));
        });
        ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
        ObjectNode config = answer.putObject("config");
        admin(request).describeConfigs(List.of(resource)).all().get().get(resource).entries()
            .forEach(entry -> config.put(entry.name(), entry.value()));
        return answer;
    }

    static JsonNode endOffsets(JsonNode request) throws Exception {
        ArrayNode answer = JSON.createArrayNode();
        Map<TopicPartition, OffsetSpec> latest = new HashMap<>();
        List<TopicPartition> partitions = partitions(request, request.get("topic").asText());
        partitions.forEach(partition -> latest.put(partition, OffsetSpec.latest()));
        var offsets = admin(request).listOffsets(latest).all().get();
        partitions.forEach(partition -> answer.add(offsets.get(partition).offset()));
        return answer;
    }

    static TopicDescription description(JsonNode request, String topic) throws Exception {
        return admin(request).describeTopics(List.of(topic)).allTopicNames().get().get(topic);
    }

    static List<TopicPartition> partitions(JsonNode request, String topic) throws Exception {
        List<TopicPartition> partitions = new ArrayList<>();
        description(request, topic).partitions().forEach(one -> partitions.add(new TopicPartition(topic, one.partition())));
        return partitions;
    }

    static boolean exists(JsonNode request, String topic) throws Exception {
        try {
            description(request, topic);
            return true;
        } catch (ExecutionException error) {
            if (error.getCause() instanceof UnknownTopicOrPartitionException) return false;
            throw error;
        }
    }

    /** The controller answers before the brokers know: offsets can be asked only from a leader that does. */
    static void awaitLeaders(JsonNode request, String topic, int count) throws Exception {
        Map<TopicPartition, OffsetSpec> latest = new HashMap<>();
        for (int partition = 0; partition < count; partition++)
            latest.put(new TopicPartition(topic, partition), OffsetSpec.latest());
        long deadline = System.nanoTime() + 30_000_000_000L;
        while (true) {
            try {
                admin(request).listOffsets(latest).all().get();
                if (description(request, topic).partitions().size() >= count) return;
            } catch (ExecutionException error) {
                if (System.nanoTime() > deadline) throw error;
            }
            Thread.sleep(10);
        }
    }

    // Records

    /** From the beginning to the ends as they are now; records go out in lines of many, before the answer. */
    static JsonNode read(JsonNode request) throws Exception {
        Properties settings = settings(request);
        settings.put("isolation.level", request.path("isolation").asText("read_uncommitted"));
        settings.put("auto.offset.reset", "none");
        settings.put("enable.auto.commit", "false");
        settings.put("max.poll.records", "5000");
        settings.put("fetch.max.bytes", String.valueOf(64 << 20));
        settings.put("max.partition.fetch.bytes", String.valueOf(8 << 20));
        long count = 0;
        List<TopicPartition> partitions = partitions(request, request.get("topic").asText());
        try (var consumer = new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
            RecordLines lines = new RecordLines(request);
            while (!partitions.stream().allMatch(one -> consumer.position(one) >= ends.get(one))) {
                for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(500))) {
                    if (record.offset() >= ends.get(new TopicPartition(record.topic(), record.partition()))) continue;
                    lines.add(record);
                    count++;
                }
            }
            lines.end();
        } finally {
            READS.remove(request.get("id").asInt());
        }
        return JSON.createObjectNode().put("count", count);
    }

    static class RecordLines {
        final int id;
        final String values;
        final StringBuilder line = new StringBuilder();

        RecordLines(JsonNode request) {
            id = request.get("id").asInt();
            values = request.path("values").asText("bytes");
            READS.put(id, new Semaphore(LINES_AHEAD));
        }

        void add(ConsumerRecord<byte[], byte[]> record) throws Exception {
            line.append(line.length() == 0 ? "{\"id\":" + id + ",\"records\":[" : ",");
            line.append('[').append(record.partition()).append(',').append(record.offset());
            line.append(',').append(record.timestamp()).append(',');
            bytes(record.key());
            line.append(',');
            if (values.equals("none")) line.append("null");
            else bytes(values.equals("sha256") && record.value() != null ? sha256(record.value()) : record.value());
            line.append(",[");
            String comma = "";
            for (Header header : record.headers()) {
                line.append(comma).append('[').append(JSON.writeValueAsString(header.key())).append(',');
                bytes(header.value());
                line.append(']');
                comma = ",";
            }
            line.append("]]");
            if (line.length() > LINE_CHARACTERS) end();
        }

        void end() throws InterruptedException {
            if (line.length() == 0) return;
            READS.get(id).acquire();
            print(line.append("]}").toString());
            line.setLength(0);
        }

        void bytes(byte[] bytes) {
            if (bytes == null) line.append("null");
            else line.append('"').append(BASE64.encodeToString(bytes)).append('"');
        }
    }

    static byte[] sha256(byte[] bytes) throws Exception {
        return MessageDigest.getInstance("SHA-256").digest(bytes);
    }

    /** Where Java's own producer puts each key, for each count of partitions. */
    static JsonNode partitionsFor(JsonNode request) throws Exception {
        ArrayNode answer = JSON.createArrayNode();
        List<byte[]> keys = new ArrayList<>();
        for (JsonNode key : request.get("keys")) keys.add(key.binaryValue());
        for (JsonNode count : request.get("counts")) {
            ArrayNode row = answer.addArray();
            for (byte[] key : keys) row.add(BuiltInPartitioner.partitionForKey(key, count.asInt()));
        }
        return answer;
    }

    static JsonNode produce(JsonNode request) throws Exception {
        String topic = request.get("topic").asText();
        KafkaProducer<byte[], byte[]> producer = PRODUCERS.computeIfAbsent(settings(request).toString(),
            settings -> new KafkaProducer<>(settings(request), new ByteArraySerializer(), new ByteArraySerializer()));
        List<Future<RecordMetadata>> sent = new ArrayList<>();
        for (JsonNode one : request.get("records")) {
            Integer partition = one.hasNonNull("partition") ? one.get("partition").asInt() : null;
            Long timestamp = one.hasNonNull("timestampMs") ? one.get("timestampMs").asLong() : null;
            var record = new ProducerRecord<>(topic, partition, timestamp, bytesOf(one.get("key")), bytesOf(one.get("value")));
            for (JsonNode header : one.path("headers"))
                record.headers().add(header.get(0).asText(), bytesOf(header.get(1)));
            sent.add(producer.send(record));
        }
        producer.flush();
        ArrayNode answer = JSON.createArrayNode();
        for (Future<RecordMetadata> one : sent)
            answer.addObject().put("partition", one.get().partition()).put("offset", one.get().offset());
        return answer;
    }

    static byte[] bytesOf(JsonNode base64) throws IOException {
        return base64 == null || base64.isNull() ? null : base64.binaryValue();
    }

    // Connections

    static Admin admin(JsonNode request) {
        return ADMINS.computeIfAbsent(settings(request).toString(), name -> Admin.create(settings(request)));
    }

    static Properties settings(JsonNode request) {
        Properties settings = new Properties();
        settings.put("bootstrap.servers", request.get("bootstrap").asText());
        settings.put("default.api.timeout.ms", "30000");
        settings.put("request.timeout.ms", "10000");
        settings.put("reconnect.backoff.max.ms", "500");
        texts(request.path("properties")).forEach(settings::put);
        return settings;
    }

    static Map<String, String> texts(JsonNode object) {
        Map<String, String> texts = new HashMap<>();
        object.properties().forEach(field -> texts.put(field.getKey(), field.getValue().asText()));
        return texts;
    }
}
