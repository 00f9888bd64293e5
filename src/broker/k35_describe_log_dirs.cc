// DescribeLogDirs: the one data directory and the bytes of each partition. User interfaces take a
// broker without it for offline.
#include "protocol/k35_describe_log_dirs.h"

#include <algorithm>
#include <list>

#include "broker/api_list.h"
#include "broker/broker.h"

namespace adbrook::broker {
namespace {

using protocol::DescribeLogDirsRequest;
using protocol::DescribeLogDirsResponse;
using Asked = std::optional<std::vector<DescribeLogDirsRequest::Topic>>;

constexpr std::string_view kDirectory = "data";

bool is_asked(const Asked& asked, const std::string& topic, std::int32_t index) {
  if (!asked) return true;
  return std::ranges::any_of(*asked, [&](const DescribeLogDirsRequest::Topic& one) {
    return one.topic == topic && (one.partitions.empty() ||
                                  std::ranges::find(one.partitions, index) != one.partitions.end());
  });
}

void answer_describe_log_dirs(Broker& broker,
                              Call<DescribeLogDirsRequest, DescribeLogDirsResponse> call) {
  const std::vector<log::TopicDescription> topics = broker.log().topics();
  DescribeLogDirsResponse response;
  auto& directory = response.results.emplace_back();
  directory.log_dir = kDirectory;
  for (const log::TopicDescription& topic : topics) {
    DescribeLogDirsResponse::Topic shown{.name = topic.name};
    for (std::int32_t i = 0; i < topic.partition_count; ++i) {
      const auto partition = broker.log().partition(topic.name, i);
      if (!partition || !is_asked(call->topics, topic.name, i)) continue;
      shown.partitions.push_back(
          {.partition_index = i, .partition_size = broker.log().size_on_disk(*partition).count});
    }
    if (!shown.partitions.empty()) directory.topics.push_back(std::move(shown));
  }
  call.answer(response);
}

}  // namespace

void register_describe_log_dirs(ApiTable& table) { table.add(&answer_describe_log_dirs); }

}  // namespace adbrook::broker
