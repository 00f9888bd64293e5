#include "broker/broker.h"

#include <algorithm>
#include <array>

#include "broker/state_record.h"
#include "protocol/k18_api_versions.h"

namespace adbrook::broker {
namespace {

// How often offsets and transactional ids that nobody uses are looked for.
constexpr Millis kExpiryCheck{600'000};

// The 16 bytes of an id as 22 characters, which is how Kafka writes a cluster's id.
std::string base64_of(Uuid id) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string text;
  const auto bytes = id.bytes();
  std::uint32_t bits = 0;
  int count = 0;
  for (const std::byte byte : bytes) {
    bits = bits << 8 | std::to_integer<std::uint32_t>(byte);
    for (count += 8; count >= 6; count -= 6) text += kDigits[bits >> (count - 6) & 63];
  }
  text += kDigits[bits << (6 - count) & 63];
  return text;
}

}  // namespace

Broker::Broker(BrokerPlaces places, BrokerOptions options, GroupOptions groups, EngineOwned owned)
    : places_(std::move(places)),
      options_(std::move(options)),
      group_options_(groups),
      owned_(std::move(owned)),
      apis_(all_apis()),
      refused_requests_(places_.metrics.counter("adbrook_kafka_refused_requests_total",
                                                "Kafka requests that made no sense.")) {
  for (const auto& [key, entry] : apis_.entries())
    request_counts_[key] =
        &places_.metrics.counter("adbrook_kafka_requests_total", "Kafka requests, by API.",
                                 {{"api", std::string(entry.api.name)}});
}

Broker::~Broker() { stop(); }

Result<std::unique_ptr<Broker>> Broker::open(BrokerPlaces places, BrokerOptions options,
                                             GroupOptions groups, EngineOwned owned) {
  std::unique_ptr<Broker> broker(
      new Broker(std::move(places), std::move(options), groups, std::move(owned)));
  if (auto restored = broker->restore(); !restored)
    return pass(std::move(restored.error()), "Kafka endpoint");
  return broker;
}

bool Broker::is_protected(const std::string& topic) const {
  return is_internal_topic(topic) || owned_.topics.contains(topic);
}

bool Broker::is_read_only(const std::string& topic) const {
  return is_internal_topic(topic) || owned_.topics_it_writes.contains(topic);
}

Result<void> Broker::restore() {
  auto group_topic = StateTopic::open(log(), clock(), kGroupTopic);
  if (!group_topic) return pass(std::move(group_topic.error()));
  group_topic_ = std::make_unique<StateTopic>(std::move(*group_topic));
  auto transaction_topic = StateTopic::open(log(), clock(), kTransactionTopic);
  if (!transaction_topic) return pass(std::move(transaction_topic.error()));
  transaction_topic_ = std::make_unique<StateTopic>(std::move(*transaction_topic));
  cluster_id_ = base64_of(group_topic_->description().id);

  arrivals_ = std::make_shared<Arrivals>(log(), clock(), executor());
  groups_ = std::make_shared<GroupCoordinator>(
      GroupCoordinator::Places{log(), clock(), random(), executor(), *group_topic_}, group_options_,
      owned_.groups);
  producer_ids_ = std::make_shared<ProducerIds>(log(), *transaction_topic_);
  transactions_ = std::make_shared<TransactionCoordinator>(
      TransactionCoordinator::Places{log(), clock(), executor(), *transaction_topic_,
                                     *producer_ids_},
      options_);
  const auto restore_record = [&](ByteView key_bytes,
                                  std::optional<ByteView> value) -> Result<void> {
    const auto key = decode_key(key_bytes);
    if (!key) return pass(key.error());
    if (key->kind == StateKind::group) return groups_->restore(key->name, value);
    if (key->kind == StateKind::consumer_group)
      return groups_->restore_consumer_group(key->name, value);
    if (key->kind == StateKind::consumer_member)
      return groups_->restore_consumer_member(key->name, key->member, value);
    if (key->kind == StateKind::transaction) return transactions_->restore(key->name, value);
    if (!value) return {};
    const auto next = decode_producer_ids(*value);
    if (!next) return pass(next.error());
    producer_ids_->restore(*next);
    return {};
  };
  for (const StateTopic* topic : {group_topic_.get(), transaction_topic_.get()})
    if (auto read = topic->read_all(restore_record); !read) return read;
  groups_->begin();
  transactions_->begin();
  expire_step();
  return {};
}

void Broker::expire_step() {
  if (stopping()) return;
  groups_->expire();
  transactions_->expire();
  executor().post_after(kExpiryCheck, [this, alive = std::weak_ptr(alive_)] {
    if (alive.lock()) expire_step();
  });
}

void Broker::stop() {
  if (stopping_.exchange(true)) return;
  alive_.reset();
  if (arrivals_) arrivals_->stop();
  if (groups_) groups_->stop();
  if (transactions_) transactions_->stop();
}

void Broker::handle(std::shared_ptr<RequestFrame> frame, std::shared_ptr<const Client> client,
                    RawCall::Respond respond) {
  const auto header = protocol::read_request_header(frame->view());
  RawCall call(frame, header.value_or(protocol::RequestHeader{}), std::move(client),
               places_.metrics, std::move(respond));
  const auto refuse = [&](std::string why) {
    refused_requests_.add();
    call.hang_up(std::move(why));
  };
  if (!header) return refuse(header.error().message);
  const std::int16_t version = header->api_version;
  const ApiTable::Entry* entry = apis_.find(header->api_key);
  if (entry == nullptr)
    return refuse("request of the API " + std::to_string(header->api_key) +
                  ", which is not offered here (see docs/kafka.md)");
  request_counts_.at(header->api_key)->add();
  if (entry->api.speaks(version)) return entry->run(*this, std::move(call));
  if (header->api_key == protocol::kApiVersions.key)
    return answer_unknown_api_versions(*this, std::move(call));
  refuse("request " + std::string(entry->api.name) + " of version " + std::to_string(version) +
         ", only " + std::to_string(entry->api.first) + " to " + std::to_string(entry->api.last) +
         " are spoken here");
}

}  // namespace adbrook::broker
