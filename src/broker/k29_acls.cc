// DescribeAcls, CreateAcls, DeleteAcls: there is no authorizer here, which is what the code says.
#include "broker/api_list.h"
#include "broker/broker.h"
#include "protocol/k29_describe_acls.h"
#include "protocol/k30_create_acls.h"
#include "protocol/k31_delete_acls.h"

namespace adbrook::broker {
namespace {

constexpr std::string_view kWhy = "no access rules are kept here";

void answer_describe(Broker&,
                     Call<protocol::DescribeAclsRequest, protocol::DescribeAclsResponse> call) {
  call.answer({.error_code = ErrorCode::security_disabled, .error_message = kWhy});
}

void answer_create(Broker&, Call<protocol::CreateAclsRequest, protocol::CreateAclsResponse> call) {
  protocol::CreateAclsResponse response;
  response.results.resize(call->creations.size(), {ErrorCode::security_disabled, kWhy});
  call.answer(response);
}

void answer_delete(Broker&, Call<protocol::DeleteAclsRequest, protocol::DeleteAclsResponse> call) {
  protocol::DeleteAclsResponse response;
  for (std::size_t i = 0; i < call->filters.size(); ++i)
    response.filter_results.push_back(
        {.error_code = ErrorCode::security_disabled, .error_message = kWhy});
  call.answer(response);
}

}  // namespace

void register_acls(ApiTable& table) {
  table.add(&answer_describe);
  table.add(&answer_create);
  table.add(&answer_delete);
}

}  // namespace adbrook::broker
