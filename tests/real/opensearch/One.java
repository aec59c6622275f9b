// One node of OpenSearch on loopback: java -cp 'lib/*' One.java FOLDER PORT PORT

import java.util.Collections;
import java.util.List;
import org.opensearch.common.settings.Settings;
import org.opensearch.node.InternalSettingsPreparer;
import org.opensearch.node.Node;
import org.opensearch.transport.Netty4Plugin;

public class One extends Node {
  One(Settings settings) {
    super(
        InternalSettingsPreparer.prepareEnvironment(settings, Collections.emptyMap(), null, () -> "one"),
        List.of(Netty4Plugin.class),
        true);
  }

  public static void main(String[] said) throws Exception {
    new One(
            Settings.builder()
                .put("path.home", said[0])
                .put("path.data", said[0] + "/data")
                .put("http.port", said[1])
                .put("transport.port", said[2])
                .put("network.host", "127.0.0.1")
                .put("transport.type", "netty4")
                .put("http.type", "netty4")
                .put("discovery.type", "single-node")
                .put("cluster.routing.allocation.disk.threshold_enabled", false)
                .build())
        .start();
    Thread.currentThread().join();
  }
}
