// The Kafka clients against librdkafka's own mock cluster, which speaks the protocol over real
// sockets: what it does not offer (groups, settings) is tested against real brokers in test/.
#include <gtest/gtest.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <map>
#include <set>

#include "bus/kafka_admin.h"
#include "bus/kafka_consumer.h"
#include "bus/kafka_producer.h"

namespace adbrook::bus {
namespace {

constexpr int kPollsMax = 600;

class MockCluster {
 public:
  MockCluster() {
    rd_kafka_conf_t* conf = rd_kafka_conf_new();
    rd_kafka_conf_set_log_cb(conf, [](const rd_kafka_t*, int, const char*, const char*) {});
    handle_ = rd_kafka_new(RD_KAFKA_PRODUCER, conf, nullptr, 0);
    cluster_ = rd_kafka_mock_cluster_new(handle_, 2);
  }
  ~MockCluster() {
    rd_kafka_mock_cluster_destroy(cluster_);
    rd_kafka_destroy(handle_);
  }
  void create(const std::string& topic, int partition_count) {
    EXPECT_EQ(rd_kafka_mock_topic_create(cluster_, topic.c_str(), partition_count, 1),
              RD_KAFKA_RESP_ERR_NO_ERROR);
  }
  void refuse_produce(rd_kafka_resp_err_t code) {
    rd_kafka_mock_push_request_errors(cluster_, 0, 1, code);
  }
  KafkaOptions options() const {
    return {rd_kafka_mock_cluster_bootstraps(cluster_), {}, Millis(5000)};
  }

 private:
  rd_kafka_t* handle_;
  rd_kafka_mock_cluster_t* cluster_;
};

// Sends `count` records with keys; what became of each, by its number.
std::map<std::uint64_t, KafkaDelivery> send(const KafkaOptions& options, const std::string& topic,
                                            int count) {
  std::map<std::uint64_t, KafkaDelivery> deliveries;
  auto producer = KafkaProducer::open(options, [&](const KafkaDelivery& delivery) {
    deliveries.emplace(delivery.number, delivery);
  });
  EXPECT_TRUE(producer) << producer.error().message;
  for (int i = 0; i < count; ++i) {
    const std::string key = "k" + std::to_string(i);
    KafkaOutgoing record{topic, -1, as_bytes(key), as_bytes(key), {{"h", key}}};
    EXPECT_TRUE(producer->send(record, static_cast<std::uint64_t>(i)));
  }
  EXPECT_EQ(producer->flush(Millis(10'000)), 0u);
  return deliveries;
}

// What `group` has committed, asked of librdkafka itself: the mock cluster answers no question for
// all partitions of a group.
std::int64_t committed(const KafkaOptions& options, const std::string& group,
                       const Partition& partition) {
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  rd_kafka_conf_set(conf, "bootstrap.servers", options.bootstrap.c_str(), nullptr, 0);
  rd_kafka_conf_set(conf, "group.id", group.c_str(), nullptr, 0);
  rd_kafka_t* handle = rd_kafka_new(RD_KAFKA_CONSUMER, conf, nullptr, 0);
  rd_kafka_topic_partition_list_t* list = rd_kafka_topic_partition_list_new(1);
  rd_kafka_topic_partition_list_add(list, partition.topic.c_str(), partition.number);
  EXPECT_EQ(rd_kafka_committed(handle, list, 5000), RD_KAFKA_RESP_ERR_NO_ERROR);
  const std::int64_t offset = list->elems[0].offset;
  rd_kafka_topic_partition_list_destroy(list);
  rd_kafka_destroy(handle);
  return offset;
}

TEST(KafkaProducer, every_record_has_one_delivery_with_its_offset) {
  MockCluster cluster;
  cluster.create("orders", 3);
  const auto deliveries = send(cluster.options(), "orders", 100);
  ASSERT_EQ(deliveries.size(), 100u);
  std::set<std::pair<Partition, std::int64_t>> places;
  for (const auto& [number, delivery] : deliveries) {
    ASSERT_TRUE(delivery.offset) << delivery.offset.error().message;
    places.insert({delivery.partition, delivery.offset->value});
  }
  EXPECT_EQ(places.size(), 100u);
}

TEST(KafkaProducer, a_key_goes_where_kafkas_own_clients_put_it) {
  MockCluster cluster;
  cluster.create("orders", 3);
  // murmur2 of these keys modulo 3, computed with Kafka's Java client.
  const std::map<std::string, std::int32_t> expected = {{"a", 1}, {"b", 2}, {"c", 1}};
  std::map<std::uint64_t, std::int32_t> chosen;
  auto producer = KafkaProducer::open(cluster.options(), [&](const KafkaDelivery& delivery) {
    chosen[delivery.number] = delivery.partition.number;
  });
  ASSERT_TRUE(producer);
  std::uint64_t number = 0;
  for (const auto& [key, partition] : expected)
    ASSERT_TRUE(producer->send({"orders", -1, as_bytes(key), std::nullopt, {}}, number++));
  ASSERT_EQ(producer->flush(Millis(10'000)), 0u);
  number = 0;
  for (const auto& [key, partition] : expected) EXPECT_EQ(chosen[number++], partition) << key;
}

TEST(KafkaProducer, a_refusal_of_the_broker_reaches_its_record) {
  MockCluster cluster;
  cluster.create("orders", 1);
  cluster.refuse_produce(RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
  const auto deliveries = send(cluster.options(), "orders", 1);
  ASSERT_EQ(deliveries.size(), 1u);
  const auto& offset = deliveries.begin()->second.offset;
  ASSERT_FALSE(offset);
  EXPECT_NE(offset.error().message.find("orders"), std::string::npos) << offset.error().message;
  const std::string why = rd_kafka_err2str(RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
  EXPECT_NE(offset.error().message.find(why), std::string::npos) << offset.error().message;
}

TEST(KafkaProducer, what_is_given_up_is_told) {
  KafkaOptions nowhere{"127.0.0.1:1", {}, Millis(100)};
  std::vector<ErrorKind> kinds;
  auto producer = KafkaProducer::open(nowhere, [&](const KafkaDelivery& delivery) {
    if (!delivery.offset) kinds.push_back(delivery.offset.error().kind);
  });
  ASSERT_TRUE(producer);
  ASSERT_TRUE(producer->send({"orders", 0, std::nullopt, as_bytes("v"), {}}, 1));
  EXPECT_EQ(producer->flush(Millis(1)), 1u);
  producer->abandon();
  EXPECT_EQ(kinds, std::vector<ErrorKind>{ErrorKind::closed});
}

TEST(KafkaConsumer, records_come_back_with_keys_headers_and_the_end) {
  MockCluster cluster;
  cluster.create("orders", 2);
  const auto deliveries = send(cluster.options(), "orders", 50);
  auto consumer = KafkaConsumer::open(cluster.options());
  ASSERT_TRUE(consumer) << consumer.error().message;
  const std::vector<Partition> partitions = {{"orders", 0}, {"orders", 1}};
  const auto ends = consumer->ends(partitions);
  ASSERT_TRUE(ends) << ends.error().message;
  EXPECT_EQ((*ends)[0].end.value + (*ends)[1].end.value, 50);
  ASSERT_TRUE(consumer->start(std::vector<Commit::Position>{{partitions[0], (*ends)[0].start},
                                                            {partitions[1], (*ends)[1].start}}));
  std::map<std::string, std::string> seen;
  std::set<std::int32_t> at_end;
  for (int i = 0; i < kPollsMax && at_end.size() < 2; ++i) {
    const auto polled = consumer->poll(Millis(100));
    ASSERT_TRUE(polled) << polled.error().message;
    const auto& record = polled->record;
    if (polled->kind == KafkaPolled::Kind::end_of_partition) at_end.insert(record.partition);
    if (polled->kind != KafkaPolled::Kind::record) continue;
    ASSERT_EQ(record.headers.size(), 1u);
    EXPECT_EQ(record.headers[0].name, "h");
    seen.emplace(as_text(*record.key), as_text(*record.headers[0].value));
  }
  EXPECT_EQ(seen.size(), 50u);
  for (const auto& [key, header] : seen) EXPECT_EQ(key, header);
}

TEST(KafkaConsumer, a_member_commits_what_it_was_done_with_and_no_more) {
  MockCluster cluster;
  cluster.create("orders", 1);
  send(cluster.options(), "orders", 10);
  auto options = cluster.options();
  options.properties = {{"auto.offset.reset", "earliest"}};
  auto consumer = KafkaConsumer::join(options, "billing", "orders");
  ASSERT_TRUE(consumer) << consumer.error().message;
  std::vector<std::int64_t> offsets;
  for (int i = 0; i < kPollsMax && offsets.size() < 6; ++i) {
    const auto polled = consumer->poll(Millis(100));
    ASSERT_TRUE(polled) << polled.error().message;
    if (polled->kind != KafkaPolled::Kind::record) continue;
    offsets.push_back(polled->record.offset.value);
    if (offsets.size() == 4)
      consumer->done_with(std::vector<Commit::Position>{{{"orders", 0}, Offset{4}}});
  }
  EXPECT_EQ(offsets, (std::vector<std::int64_t>{0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(consumer->assigned(), (std::vector<Partition>{{"orders", 0}}));
  ASSERT_TRUE(consumer->close());
  EXPECT_EQ(committed(cluster.options(), "billing", {"orders", 0}), 4);
}

TEST(KafkaAdmin, topics_and_ends_are_found_and_typos_get_the_nearest_name) {
  MockCluster cluster;
  cluster.create("orders", 2);
  send(cluster.options(), "orders", 20);
  auto admin = KafkaAdmin::open(cluster.options());
  ASSERT_TRUE(admin);
  const auto topic = admin->topic("orders");
  ASSERT_TRUE(topic) << topic.error().message;
  EXPECT_EQ(topic->partitions.size(), 2u);
  const auto ends = admin->ends(std::vector<Partition>{{"orders", 0}, {"orders", 1}});
  ASSERT_TRUE(ends) << ends.error().message;
  EXPECT_EQ((*ends)[0].ends->end.value + (*ends)[1].ends->end.value, 20);
  const auto typo = admin->topic("order");
  ASSERT_FALSE(typo);
  EXPECT_EQ(typo.error().kind, ErrorKind::not_found);
  EXPECT_NE(typo.error().message.find("did you mean 'orders'"), std::string::npos);
}

TEST(KafkaAdmin, a_broker_that_is_not_there_is_named_with_its_cause) {
  auto admin = KafkaAdmin::open({"127.0.0.1:1", {}, Millis(1000)});
  ASSERT_TRUE(admin);
  const auto cluster = admin->cluster();
  ASSERT_FALSE(cluster);
  EXPECT_EQ(cluster.error().kind, ErrorKind::io_failed);
  for (const auto* part : {"127.0.0.1:1", "refused", "doctor --kafka"})
    EXPECT_NE(cluster.error().message.find(part), std::string::npos) << cluster.error().message;
}

TEST(KafkaOptions, a_property_that_nobody_knows_is_refused_by_name) {
  const auto admin = KafkaAdmin::open({"127.0.0.1:1", {{"security.protcol", "SSL"}}, Millis(100)});
  ASSERT_FALSE(admin);
  EXPECT_EQ(admin.error().kind, ErrorKind::invalid);
  EXPECT_NE(admin.error().message.find("security.protcol"), std::string::npos);
}

}  // namespace
}  // namespace adbrook::bus
