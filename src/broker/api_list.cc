#include "broker/api_list.h"

#include "broker/broker.h"

namespace adbrook::broker {

ApiTable all_apis() {
  ApiTable table;
  register_produce(table);
  register_fetch(table);
  register_list_offsets(table);
  register_metadata(table);
  register_offset_commit(table);
  register_offset_fetch(table);
  register_find_coordinator(table);
  register_join_group(table);
  register_heartbeat(table);
  register_leave_group(table);
  register_sync_group(table);
  register_describe_groups(table);
  register_list_groups(table);
  register_sasl(table);
  register_api_versions(table);
  register_create_topics(table);
  register_delete_topics(table);
  register_delete_records(table);
  register_init_producer_id(table);
  register_offset_for_leader_epoch(table);
  register_add_partitions_to_txn(table);
  register_add_offsets_to_txn(table);
  register_end_txn(table);
  register_txn_offset_commit(table);
  register_acls(table);
  register_describe_configs(table);
  register_alter_configs(table);
  register_describe_log_dirs(table);
  register_create_partitions(table);
  register_delete_groups(table);
  register_offset_delete(table);
  register_describe_cluster(table);
  register_describe_producers(table);
  register_describe_transactions(table);
  register_list_transactions(table);
  register_consumer_group_heartbeat(table);
  register_consumer_group_describe(table);
  return table;
}

}  // namespace adbrook::broker
