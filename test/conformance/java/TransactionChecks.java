import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.admin.TransactionState;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InvalidProducerEpochException;
import org.apache.kafka.common.errors.ProducerFencedException;

/** Commit, abort, fencing, read_committed, and what an operator sees of transactions. */
final class TransactionChecks {
  private static final Object[] COMMITTED = {"isolation.level", "read_committed"};

  private TransactionChecks() {}

  static void register() {
    Checks.check("transactions", "committed_are_read_and_aborted_are_not",
        TransactionChecks::committedAndAborted);
    Checks.check("transactions", "an_open_transaction_is_not_read",
        TransactionChecks::openIsNotRead);
    Checks.check("transactions", "several_partitions_commit_together",
        TransactionChecks::severalPartitions);
    Checks.check("transactions", "offsets_commit_with_the_transaction", TransactionChecks::offsets);
    Checks.check("transactions", "pending_offsets_are_unstable_until_the_end",
        TransactionChecks::pendingOffsets);
    Checks.check("transactions", "the_heir_aborts_and_fences_the_zombie", TransactionChecks::heir);
    Checks.check("transactions", "an_operator_fences_a_producer",
        TransactionChecks::operatorFences);
    Checks.check("transactions", "one_that_takes_too_long_is_aborted", TransactionChecks::tooLong);
    Checks.check("transactions", "transactions_and_producers_are_described",
        TransactionChecks::described);
  }

  private static void committedAndAborted() throws Exception {
    String where = Clients.topic("txn", 1);
    List<String> expected = new ArrayList<>();
    try (KafkaProducer<String, String> producer = Clients.transactional("txn")) {
      for (int i = 0; i < 8; i++) {
        producer.beginTransaction();
        Clients.send(producer, Clients.numbered(where, i * 10, 10));
        if (i % 2 == 1) {
          producer.abortTransaction();
        } else {
          producer.commitTransaction();
          expected.addAll(Clients.numberedValues(i * 10, 10));
        }
      }
    }
    Checks.same(Clients.values(Clients.read(where, 40, COMMITTED)), expected, "committed");
    var everything = Clients.read(where, 80);
    Checks.same(everything.size(), 80, "records in all");
    Checks.truth(everything.get(79).offset() > 80, "markers take no offsets");
  }

  private static void openIsNotRead() throws Exception {
    String where = Clients.topic("txn-open", 1);
    Clients.send(Clients.numbered(where, 0, 5));
    try (KafkaProducer<String, String> producer = Clients.transactional("txn-open")) {
      producer.beginTransaction();
      Clients.send(producer, Clients.numbered(where, 5, 5));
      Clients.send(Clients.numbered(where, 10, 5));
      Checks.same(Clients.values(Clients.read(where, 5, COMMITTED)), Clients.numberedValues(0, 5),
          "while it is open");
      TopicPartition partition = new TopicPartition(where, 0);
      try (var consumer = Clients.consumer(COMMITTED)) {
        Checks.same(consumer.endOffsets(List.of(partition)).get(partition), 5L, "end while open");
      }
      producer.commitTransaction();
    }
    Checks.same(Clients.read(where, 15, COMMITTED).size(), 15, "records after the commit");
  }

  private static void severalPartitions() throws Exception {
    String where = Clients.topic("txn-parts", 3);
    try (var producer = Clients.transactional("txn-parts", "compression.type", "zstd")) {
      producer.beginTransaction();
      for (int i = 0; i < 30; i++) {
        producer.send(new ProducerRecord<>(where, i % 3, "k" + i, "v" + i));
      }
      producer.commitTransaction();
    }
    for (int partition = 0; partition < 3; partition++) {
      Checks.same(Clients.readFrom(where, partition, 0, 10, COMMITTED).size(), 10, "records");
    }
  }

  private static void offsets() throws Exception {
    String source = Clients.topic("txn-in", 1);
    String target = Clients.topic("txn-out", 1);
    Clients.send(Clients.numbered(source, 0, 20));
    TopicPartition in = new TopicPartition(source, 0);
    try (KafkaConsumer<String, String> consumer =
            Clients.consumer("group.id", Checks.nameOf("txn-group"));
        KafkaProducer<String, String> producer = Clients.transactional("txn-offsets")) {
      consumer.subscribe(List.of(source));
      int[] seen = {0};
      Checks.eventually(() -> (seen[0] += consumer.poll(Duration.ofMillis(200)).count()) == 20,
          "20 records are read");
      for (boolean commit : new boolean[] {false, true}) {
        producer.beginTransaction();
        Clients.send(producer, Clients.numbered(target, 0, 5));
        producer.sendOffsetsToTransaction(
            Map.of(in, new OffsetAndMetadata(commit ? 10 : 20, "a note")),
            consumer.groupMetadata());
        if (commit) {
          producer.commitTransaction();
        } else {
          producer.abortTransaction();
        }
        OffsetAndMetadata told = consumer.committed(Set.of(in)).get(in);
        Checks.same(told == null ? null : told.offset() + " " + told.metadata(),
            commit ? "10 a note" : null, "committed");
      }
    }
    Checks.same(Clients.read(target, 5, COMMITTED).size(), 5, "records written");
  }

  private static void pendingOffsets() throws Exception {
    String source = Clients.topic("txn-pending", 1);
    String group = Checks.nameOf("txn-pending");
    TopicPartition in = new TopicPartition(source, 0);
    try (var producer = Clients.transactional("txn-pending");
        var consumer = Clients.consumer("group.id", group, "default.api.timeout.ms", 1500)) {
      producer.beginTransaction();
      producer.sendOffsetsToTransaction(Map.of(in, new OffsetAndMetadata(3)),
          new org.apache.kafka.clients.consumer.ConsumerGroupMetadata(group));
      Checks.refused(() -> consumer.committed(Set.of(in)),
          org.apache.kafka.common.errors.TimeoutException.class, "an answer while it is pending");
      producer.commitTransaction();
      Checks.same(consumer.committed(Set.of(in)).get(in).offset(), 3L, "committed");
    }
  }

  private static void heir() throws Exception {
    String where = Clients.topic("txn-fence", 1);
    try (KafkaProducer<String, String> zombie = Clients.transactional("txn-fence")) {
      zombie.beginTransaction();
      Clients.send(zombie, List.of(new ProducerRecord<>(where, "zombie")));
      try (KafkaProducer<String, String> heir = Clients.transactional("txn-fence")) {
        heir.beginTransaction();
        Clients.send(heir, List.of(new ProducerRecord<>(where, "heir")));
        KafkaException error = Checks.refused(
            zombie::commitTransaction, KafkaException.class, "the zombie's commit");
        Checks.truth(error instanceof ProducerFencedException
            || error instanceof InvalidProducerEpochException, "the zombie got " + error);
        heir.commitTransaction();
      }
    }
    Checks.same(Clients.values(Clients.read(where, 1, COMMITTED)), List.of("heir"), "committed");
  }

  private static void operatorFences() throws Exception {
    String where = Clients.topic("txn-operator", 1);
    try (KafkaProducer<String, String> producer = Clients.transactional("txn-operator")) {
      producer.beginTransaction();
      Clients.send(producer, List.of(new ProducerRecord<>(where, "fenced")));
      Clients.admin().fenceProducers(List.of(Checks.nameOf("txn-operator"))).all().get();
      Checks.refused(producer::commitTransaction, KafkaException.class, "the commit of the fenced");
    }
    Checks.same(Clients.read(where, 0, COMMITTED).size(), 0, "committed");
  }

  private static void tooLong() throws Exception {
    String where = Clients.topic("txn-late", 1);
    var producer = Clients.transactional("txn-late", "transaction.timeout.ms", 1000);
    producer.beginTransaction();
    Clients.send(producer, Clients.numbered(where, 0, 3));
    Clients.send(Clients.numbered(where, 3, 1));
    Checks.eventually(() -> Clients.values(Clients.read(where, 1, COMMITTED)).equals(List.of("v3")),
        "the broker aborts it");
    Checks.refused(producer::commitTransaction, KafkaException.class, "its commit");
    producer.close(Duration.ZERO);
  }

  private static void described() throws Exception {
    String where = Clients.topic("txn-described", 1);
    String id = Checks.nameOf("txn-described");
    TopicPartition partition = new TopicPartition(where, 0);
    try (KafkaProducer<String, String> producer = Clients.transactional("txn-described")) {
      producer.beginTransaction();
      Clients.send(producer, Clients.numbered(where, 0, 3));
      var listed = Clients.admin().listTransactions().all().get().stream()
          .filter(one -> one.transactionalId().equals(id)).toList();
      Checks.same(listed.size(), 1, "transactions listed");
      Checks.same(listed.get(0).state(), TransactionState.ONGOING, "state listed");
      var told = Clients.admin().describeTransactions(List.of(id)).description(id).get();
      Checks.same(told.state(), TransactionState.ONGOING, "state");
      Checks.same(told.topicPartitions(), Set.of(partition), "partitions");
      Checks.same(told.producerId(), listed.get(0).producerId(), "producer");
      var writers = Clients.admin().describeProducers(List.of(partition)).partitionResult(partition)
          .get().activeProducers();
      Checks.same(writers.size(), 1, "producers");
      Checks.same(writers.get(0).producerId(), told.producerId(), "producer of the partition");
      Checks.same(writers.get(0).lastSequence(), 2, "last sequence");
      Checks.same(writers.get(0).currentTransactionStartOffset().orElse(-1), 0L, "start offset");
      producer.commitTransaction();
    }
    Checks.eventually(() -> Clients.admin().describeTransactions(List.of(id)).description(id).get()
        .state() == TransactionState.COMPLETE_COMMIT, "it is complete");
  }
}
