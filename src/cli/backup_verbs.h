#pragma once

#include "archive/archive.h"
#include "cli/command.h"
#include "manman/v1/manman.pb.h"

// The verbs of `manman backup …` that have a file of their own.
namespace manman::cli {

void add_backup_cancel(Command& group, Context& context);
void add_backup_cat(Command& group, Context& context);
void add_backup_diff(Command& group, Context& context);
void add_backup_drills(Command& group, Context& context);
void add_backup_ls(Command& group, Context& context);
void add_backup_pins(Command& group, Context& context);
void add_backup_verify(Command& group, Context& context);

// An entry as the service tells of it.
archive::Entry entry_from(const v1::BackupEntry& message);

}  // namespace manman::cli
