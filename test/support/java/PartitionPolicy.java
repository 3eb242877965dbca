import java.util.Map;
import org.apache.kafka.common.errors.PolicyViolationException;
import org.apache.kafka.server.policy.CreateTopicPolicy;

/** A cluster whose operators allow topics of at most three partitions. */
public class PartitionPolicy implements CreateTopicPolicy {
    @Override
    public void validate(RequestMetadata request) {
        Integer partitions = request.numPartitions();
        if (partitions != null && partitions > 3)
            throw new PolicyViolationException("at most 3 partitions here, and " + partitions + " are asked for");
    }

    @Override
    public void configure(Map<String, ?> settings) {}

    @Override
    public void close() {}
}
