import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.LongAdder;

/** The recorded input as both peers read it, and how they tell how far they are. */
public final class Recorded {
  static final long WINDOW_MS = 10_000;
  static final long JOIN_WITHIN_MS = 60_000;
  static final long DISORDER_MS = 2_000;

  private static final JsonFactory JSON = new JsonFactory();

  /** Of an ad event, what the job keeps of it. */
  public static final class Event {
    public String adId;
    public boolean view;
    public long time;
  }

  /** Reads all seven fields and keeps three. */
  static Event event(byte[] value) {
    Event event = new Event();
    try (JsonParser parser = JSON.createParser(value)) {
      parser.nextToken();
      while (parser.nextToken() == JsonToken.FIELD_NAME) {
        String name = parser.currentName();
        parser.nextToken();
        switch (name) {
          case "ad_id" -> event.adId = parser.getText();
          case "event_type" -> event.view = "view".equals(parser.getText());
          case "event_time" -> event.time = parser.getLongValue();
          default -> { }
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return event;
  }

  static int impressionCampaign(byte[] value) {
    return ByteBuffer.wrap(value).getInt(8);
  }

  static long clickTime(byte[] value) {
    return ByteBuffer.wrap(value).getLong(0);
  }

  /** Records of the input that were taken up to now, by all threads. */
  static final LongAdder TAKEN = new LongAdder();

  /** Prints `progress RECORDS` every 200 ms; whoever reads it looks at the processes' times then. */
  static void reportProgress() {
    Thread reporter = new Thread(() -> {
      while (true) {
        System.out.println("progress " + TAKEN.sum());
        try {
          Thread.sleep(200);
        } catch (InterruptedException e) {
          return;
        }
      }
    });
    reporter.setDaemon(true);
    reporter.start();
  }

  static void reportDone() {
    long paused = 0;
    for (var collector : ManagementFactory.getGarbageCollectorMXBeans()) {
      paused += collector.getCollectionTime();
    }
    System.out.println("collected " + paused);
    System.out.println("done " + TAKEN.sum());
  }

  private Recorded() { }
}
