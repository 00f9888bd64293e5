// Every API that is answered here: each file kNN_*.cc registers its own handler with its versions.
#pragma once

#include "broker/api_table.h"

namespace adbrook::broker {

void register_produce(ApiTable& table);
void register_fetch(ApiTable& table);
void register_list_offsets(ApiTable& table);
void register_metadata(ApiTable& table);
void register_offset_commit(ApiTable& table);
void register_offset_fetch(ApiTable& table);
void register_find_coordinator(ApiTable& table);
void register_join_group(ApiTable& table);
void register_heartbeat(ApiTable& table);
void register_leave_group(ApiTable& table);
void register_sync_group(ApiTable& table);
void register_describe_groups(ApiTable& table);
void register_list_groups(ApiTable& table);
void register_sasl(ApiTable& table);
void register_api_versions(ApiTable& table);
void register_create_topics(ApiTable& table);
void register_delete_topics(ApiTable& table);
void register_delete_records(ApiTable& table);
void register_init_producer_id(ApiTable& table);
void register_offset_for_leader_epoch(ApiTable& table);
void register_add_partitions_to_txn(ApiTable& table);
void register_add_offsets_to_txn(ApiTable& table);
void register_end_txn(ApiTable& table);
void register_txn_offset_commit(ApiTable& table);
void register_acls(ApiTable& table);
void register_describe_configs(ApiTable& table);
void register_alter_configs(ApiTable& table);
void register_describe_log_dirs(ApiTable& table);
void register_create_partitions(ApiTable& table);
void register_delete_groups(ApiTable& table);
void register_offset_delete(ApiTable& table);
void register_describe_cluster(ApiTable& table);
void register_describe_producers(ApiTable& table);
void register_describe_transactions(ApiTable& table);
void register_list_transactions(ApiTable& table);
void register_consumer_group_heartbeat(ApiTable& table);
void register_consumer_group_describe(ApiTable& table);

}  // namespace adbrook::broker
