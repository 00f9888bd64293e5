// ListGroups: all groups, filtered by state and type where the version has that.
#include "protocol/k16_list_groups.h"

#include <algorithm>

#include "broker/api_list.h"
#include "broker/broker.h"

namespace adbrook::broker {
namespace {

using protocol::ListGroupsRequest;
using protocol::ListGroupsResponse;

bool same_word(std::string_view a, std::string_view b) {
  return std::ranges::equal(
      a, b, [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

bool passes(const std::vector<std::string_view>& filter, std::string_view word) {
  return filter.empty() ||
         std::ranges::any_of(filter, [&](std::string_view one) { return same_word(one, word); });
}

void answer_list_groups(Broker& broker, Call<ListGroupsRequest, ListGroupsResponse> call) {
  const auto groups = broker.groups().list();
  ListGroupsResponse response;
  for (const GroupCoordinator::Listed& group : groups)
    if (passes(call->states_filter, group.state) && passes(call->types_filter, group.type))
      response.groups.push_back({.group_id = group.id,
                                 .protocol_type = group.protocol_type,
                                 .group_state = group.state,
                                 .group_type = group.type});
  call.answer(response);
}

}  // namespace

void register_list_groups(ApiTable& table) { table.add(&answer_list_groups); }

}  // namespace adbrook::broker
