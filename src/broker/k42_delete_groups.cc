// DeleteGroups: groups without members, offsets and all; answered when all of them are gone.
#include "protocol/k42_delete_groups.h"

#include <atomic>
#include <memory>

#include "broker/api_list.h"
#include "broker/broker.h"

namespace adbrook::broker {
namespace {

using protocol::DeleteGroupsRequest;
using protocol::DeleteGroupsResponse;
using DeleteGroupsCall = Call<DeleteGroupsRequest, DeleteGroupsResponse>;

// Shared by the deletions under way; the last one answers.
struct Deleting {
  explicit Deleting(DeleteGroupsCall made) : call(std::move(made)) {}

  void finish_one() {
    if (open.fetch_sub(1) == 1) call.answer(response);
  }

  DeleteGroupsCall call;
  DeleteGroupsResponse response;
  std::atomic<std::size_t> open{1};
};

void answer_delete_groups(Broker& broker, DeleteGroupsCall made) {
  auto work = std::make_shared<Deleting>(std::move(made));
  for (const std::string_view id : work->call->groups_names)
    work->response.results.push_back({.group_id = id});
  work->open += work->response.results.size();
  for (auto& result : work->response.results)
    broker.groups().remove(std::string(result.group_id), [work, &result](ErrorCode error) {
      result.error_code = error;
      work->finish_one();
    });
  work->finish_one();
}

}  // namespace

void register_delete_groups(ApiTable& table) { table.add(&answer_delete_groups); }

}  // namespace adbrook::broker
