#include "bus/kafka_handle.h"

#include <array>

#include "base/text.h"

namespace adbrook::bus {
namespace {

constexpr int kSyslogWarning = 4;
// Below fetch.wait.max.ms + 1 s the library warns, which would hide why a broker is not reached.
constexpr std::int64_t kSocketTimeoutMsMin = 2'000;
constexpr std::size_t kComplaintSizeMax = 300;

// What a person can do about it, behind the reason.
std::string_view next_step(rd_kafka_resp_err_t code) {
  switch (code) {
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
    case RD_KAFKA_RESP_ERR__RESOLVE:
      return "check that a broker listens there and that its advertised address can be reached "
             "from here (`adbrook doctor --kafka HOST:PORT` names the hop that fails)";
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
    case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
    case RD_KAFKA_RESP_ERR__SSL:
      return "check -X security.protocol, sasl.mechanisms, sasl.username, sasl.password and "
             "ssl.ca.location";
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
      return "ask the cluster's operator for this right";
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION: return "see `adbrook topics list`";
    case RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND: return "see `adbrook groups list`";
    case RD_KAFKA_RESP_ERR_NON_EMPTY_GROUP:
    case RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID:
    case RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS:
      return "stop the group's consumers first; `adbrook groups describe` shows them";
    case RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION:
    case RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE:
      return "this cluster does not offer it; see its documentation";
    case RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS: return "choose another name";
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
      return "raise max.message.bytes of the topic and -X message.max.bytes here, or send less";
    default: return "the broker's log may say more";
  }
}

// Librdkafka begins its log lines with the thread they come from: no use to a person.
std::string without_thread(std::string_view text) {
  if (text.starts_with("[thrd:"))
    if (const auto end = text.find("]: "); end != std::string_view::npos)
      text.remove_prefix(end + 3);
  return std::string(text);
}

bool may_hide_a_cause(rd_kafka_resp_err_t code) {
  switch (code) {
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
    case RD_KAFKA_RESP_ERR__RESOLVE:
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
    case RD_KAFKA_RESP_ERR__SSL:
    case RD_KAFKA_RESP_ERR__MSG_TIMED_OUT:
    case RD_KAFKA_RESP_ERR__WAIT_COORD: return true;
    default: return false;
  }
}

using Configuration = std::unique_ptr<rd_kafka_conf_t, KafkaFree<rd_kafka_conf_destroy>>;

Result<void> set_property(rd_kafka_conf_t* configuration, const KafkaProperty& property) {
  std::array<char, 512> words{};
  const auto& [name, value] = property;
  if (rd_kafka_conf_set(configuration, name.c_str(), value.c_str(), words.data(), words.size()) ==
      RD_KAFKA_CONF_OK)
    return {};
  return fail(ErrorKind::invalid, "client property " + printable(name) + "=" + printable(value) +
                                      ": " + words.data() +
                                      "; the names are those of librdkafka's CONFIGURATION.md");
}

}  // namespace

void KafkaComplaints::add(std::string text) {
  const std::lock_guard lock(mutex_);
  newest_ = std::move(text);
}

std::string KafkaComplaints::newest() const {
  const std::lock_guard lock(mutex_);
  return newest_;
}

void KafkaHandle::on_log(const rd_kafka_t* handle, int level, const char*, const char* text) {
  auto* opaque = static_cast<Opaque*>(rd_kafka_opaque(handle));
  // It follows the line that says why, and says less.
  if (std::string_view(text).ends_with("brokers are down")) return;
  if (opaque != nullptr && level <= kSyslogWarning)
    opaque->complaints.add(printable(without_thread(text), kComplaintSizeMax));
}

void KafkaHandle::on_delivery(rd_kafka_t* handle, const rd_kafka_message_t* message, void* opaque) {
  const auto* ours = static_cast<Opaque*>(opaque);
  if (ours->on_delivery != nullptr) ours->on_delivery(handle, message, ours->opaque);
}

Result<KafkaHandle> KafkaHandle::open(rd_kafka_type_t type, const KafkaOptions& options,
                                      std::span<const KafkaProperty> defaults,
                                      KafkaDeliveryCallback delivered, void* opaque) {
  KafkaHandle made;
  made.options_ = options;
  made.opaque_ = std::make_unique<Opaque>();
  made.opaque_->on_delivery = delivered;
  made.opaque_->opaque = opaque;
  Configuration configuration(rd_kafka_conf_new());
  rd_kafka_conf_set_opaque(configuration.get(), made.opaque_.get());
  rd_kafka_conf_set_log_cb(configuration.get(), on_log);
  if (type == RD_KAFKA_PRODUCER) rd_kafka_conf_set_dr_msg_cb(configuration.get(), on_delivery);
  std::vector<KafkaProperty> properties = {
      {"client.id", "adbrook"},
      {"bootstrap.servers", options.bootstrap},
      {"socket.timeout.ms",
       std::to_string(std::max(options.patience.count(), kSocketTimeoutMsMin))},
      {"socket.connection.setup.timeout.ms",
       std::to_string(std::max(options.patience.count(), kSocketTimeoutMsMin))}};
  properties.insert(properties.end(), defaults.begin(), defaults.end());
  properties.insert(properties.end(), options.properties.begin(), options.properties.end());
  for (const auto& property : properties)
    if (auto set = set_property(configuration.get(), property); !set) return pass(set.error());
  std::array<char, 512> words{};
  made.handle_.reset(rd_kafka_new(type, configuration.get(), words.data(), words.size()));
  if (made.handle_ == nullptr)
    return fail(ErrorKind::invalid, std::string("Kafka client for ") + options.bootstrap + ": " +
                                        words.data() + "; check the -X properties");
  configuration.release();  // rd_kafka_new has taken it
  return made;
}

std::string kafka_client_version() { return rd_kafka_version_str(); }

Error KafkaHandle::error(std::string_view what, rd_kafka_resp_err_t code, const char* words) const {
  std::string why = words != nullptr && *words != '\0' ? words : rd_kafka_err2str(code);
  while (why.ends_with('.')) why.pop_back();
  if (const std::string cause = opaque_->complaints.newest();
      may_hide_a_cause(code) && !cause.empty())
    why += " (" + cause + ")";
  return {kafka_error_kind(code), std::string(what) + " at " + printable(options_.bootstrap) +
                                      ": " + printable(why, 2 * kComplaintSizeMax) + "; " +
                                      std::string(next_step(code))};
}

Error KafkaHandle::error(std::string_view what, const rd_kafka_error_t* error) const {
  return this->error(what, rd_kafka_error_code(error), rd_kafka_error_string(error));
}

ErrorKind kafka_error_kind(rd_kafka_resp_err_t code) {
  switch (code) {
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
    case RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND:
    case RD_KAFKA_RESP_ERR_RESOURCE_NOT_FOUND: return ErrorKind::not_found;
    case RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS: return ErrorKind::already_exists;
    case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE: return ErrorKind::out_of_range;
    case RD_KAFKA_RESP_ERR_NON_EMPTY_GROUP:
    case RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID:
    case RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS: return ErrorKind::busy;
    case RD_KAFKA_RESP_ERR_INVALID_CONFIG:
    case RD_KAFKA_RESP_ERR_INVALID_PARTITIONS:
    case RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR:
    case RD_KAFKA_RESP_ERR_INVALID_REPLICA_ASSIGNMENT:
    case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
    case RD_KAFKA_RESP_ERR_INVALID_GROUP_ID:
    case RD_KAFKA_RESP_ERR_INVALID_REQUEST:
    case RD_KAFKA_RESP_ERR_POLICY_VIOLATION:
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
    case RD_KAFKA_RESP_ERR__INVALID_ARG: return ErrorKind::invalid;
    case RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION:
    case RD_KAFKA_RESP_ERR_SECURITY_DISABLED:
    case RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE: return ErrorKind::unsupported;
    case RD_KAFKA_RESP_ERR__QUEUE_FULL: return ErrorKind::overloaded;
    case RD_KAFKA_RESP_ERR__DESTROY:
    case RD_KAFKA_RESP_ERR__PURGE_QUEUE:
    case RD_KAFKA_RESP_ERR__PURGE_INFLIGHT: return ErrorKind::closed;
    default: return ErrorKind::io_failed;
  }
}

KafkaPartitionList kafka_list(std::span<const Commit::Position> positions) {
  KafkaPartitionList list(rd_kafka_topic_partition_list_new(static_cast<int>(positions.size())));
  for (const auto& position : positions)
    rd_kafka_topic_partition_list_add(list.get(), position.partition.topic.c_str(),
                                      position.partition.number)
        ->offset = position.offset.value;
  return list;
}

std::vector<Commit::Position> kafka_positions(const rd_kafka_topic_partition_list_t& list) {
  std::vector<Commit::Position> positions;
  for (int i = 0; i < list.cnt; ++i)
    positions.push_back(
        {{list.elems[i].topic, list.elems[i].partition}, Offset{list.elems[i].offset}});
  return positions;
}

}  // namespace adbrook::bus
