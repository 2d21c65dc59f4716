import io.cloudevents.CloudEvent;
import io.cloudevents.core.format.EventFormat;
import io.cloudevents.core.provider.EventFormatProvider;
import io.cloudevents.jackson.JsonFormat;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Reads CloudEvents with Java's SDK, a line each, and prints what the SDK writes of them. */
public class ReadEvents {
  public static void main(String[] files) throws Exception {
    EventFormat json = EventFormatProvider.getInstance().resolveFormat(JsonFormat.CONTENT_TYPE);
    PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
    for (String line : Files.readAllLines(Path.of(files[0]), StandardCharsets.UTF_8)) {
      CloudEvent event = json.deserialize(line.getBytes(StandardCharsets.UTF_8));
      if (event.getSource().getPath() == null || event.getTime().getOffset().getTotalSeconds() != 0) throw new IllegalStateException(line);
      out.println(new String(json.serialize(event), StandardCharsets.UTF_8));
    }
    out.flush();
  }
}
