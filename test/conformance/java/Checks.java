import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Registers the checks and runs them as checks.py does: the same areas, lines and last line. */
final class Checks {
  /** What a check does; whatever it throws is its failure. */
  interface Body {
    void run() throws Exception;
  }

  /** Something asked again and again; what it throws counts as "not yet". */
  interface Condition {
    boolean holds() throws Exception;
  }

  private record Check(String area, String name, Body body, String why) {}

  private static final int CHECK_SECONDS_MAX = 90;
  private static final String RUN = UUID.randomUUID().toString().substring(0, 8);
  private static final List<Check> CHECKS = new ArrayList<>();

  private Checks() {}

  static void check(String area, String name, Body body) {
    CHECKS.add(new Check(area, name, body, null));
  }

  static void cannot(String area, String fact, String why) {
    CHECKS.add(new Check(area, fact, null, why));
  }

  /** A topic or group name of this run alone. */
  static String nameOf(String what) {
    return "conf-" + RUN + "-" + what;
  }

  static void same(Object got, Object expected, String what) {
    if (!Objects.equals(got, expected)) {
      throw new AssertionError(
          what + ": got " + shortened(got) + ", expected " + shortened(expected));
    }
  }

  static void truth(boolean condition, String what) {
    if (!condition) throw new AssertionError(what);
  }

  static void eventually(Condition condition, String what) throws InterruptedException {
    Throwable last = null;
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
    while (System.nanoTime() < end) {
      try {
        if (condition.holds()) return;
      } catch (InterruptedException ended) {
        throw ended;
      } catch (Exception notYet) {
        last = notYet;
      }
      Thread.sleep(50);
    }
    throw new AssertionError("not within 30 s: " + what + (last == null ? "" : " (" + last + ")"));
  }

  /** Demands that the call fails with this kind of error, and gives it. */
  static <E extends Throwable> E refused(Body call, Class<E> kind, String what) throws Exception {
    try {
      call.run();
    } catch (Exception thrown) {
      Throwable error = thrown;
      if (error instanceof ExecutionException && error.getCause() != null) error = error.getCause();
      if (kind.isInstance(error)) return kind.cast(error);
      throw new AssertionError(what + " failed with " + error + ", expected " + kind.getName());
    }
    throw new AssertionError(what + " was accepted");
  }

  private static String shortened(Object value) {
    String text = String.valueOf(value);
    return text.length() <= 300 ? text : text.substring(0, 300) + "...";
  }

  /** Runs what `only` selects and ends the process: 0 when something passed and nothing failed. */
  static void runAll(Set<String> only, boolean verbose) throws InterruptedException {
    // A check that hangs keeps its thread; the next one gets another.
    ExecutorService threads = Executors.newCachedThreadPool(body -> {
      Thread thread = new Thread(body);
      thread.setDaemon(true);
      return thread;
    });
    int passed = 0;
    int failed = 0;
    int skipped = 0;
    for (Check check : CHECKS) {
      if (!only.isEmpty() && !only.contains(check.area()) && !only.contains(check.name())) continue;
      String fact = check.area() + "/" + check.name();
      if (check.body() == null) {
        skipped++;
        System.out.println("skip " + fact + ": " + check.why());
        continue;
      }
      long started = System.nanoTime();
      Throwable error = run(threads, check.body());
      String took = String.format(" (%.1f s)", (System.nanoTime() - started) / 1e9);
      if (error == null) {
        passed++;
        System.out.println("ok   " + fact + took);
      } else {
        failed++;
        System.out.println("FAIL " + fact + took + ": " + error.toString().replaceAll("\\s+", " "));
        if (verbose) error.printStackTrace();
      }
    }
    System.out.println(passed + " passed, " + failed + " failed"
        + (skipped == 0 ? "" : ", " + skipped + " skipped"));
    System.out.flush();
    Runtime.getRuntime().halt(passed > 0 && failed == 0 ? 0 : 1);
  }

  private static Throwable run(ExecutorService threads, Body body) throws InterruptedException {
    Future<?> running = threads.submit(() -> {
      body.run();
      return null;
    });
    try {
      running.get(CHECK_SECONDS_MAX, TimeUnit.SECONDS);
      return null;
    } catch (ExecutionException failed) {
      return failed.getCause() instanceof ExecutionException inner && inner.getCause() != null
          ? inner.getCause() : failed.getCause();
    } catch (TimeoutException late) {
      running.cancel(true);
      return new AssertionError("not done within " + CHECK_SECONDS_MAX + " s");
    }
  }
}
