// SQLite with two scalar functions that the host provides: a database whose
// users' functions live outside of it.
//
// Compiled together with the amalgamation, sqlite3.c.
#include <stdint.h>
#include "sqlite3.h"

#define IMPORT(name) __attribute__((import_module("udf"), import_name(name)))
#define EXPORT(name) __attribute__((export_name(name)))

IMPORT("score") double udf_score(double value, double weight);
IMPORT("mix") int64_t udf_mix(int64_t value);

static void score(sqlite3_context *context, int count, sqlite3_value **values) {
    (void)count;
    double value = sqlite3_value_double(values[0]);
    sqlite3_result_double(context, udf_score(value, sqlite3_value_double(values[1])));
}

static void mix(sqlite3_context *context, int count, sqlite3_value **values) {
    (void)count;
    sqlite3_result_int64(context, udf_mix(sqlite3_value_int64(values[0])));
}

static sqlite3 *database;

// Opens a database in memory with a table of `rows` rows; returns an error code
// of SQLite, or 0.
EXPORT("open") int32_t open_database(int32_t rows) {
    int code = sqlite3_open(":memory:", &database);
    const int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC;
    if (code == SQLITE_OK)
        code = sqlite3_create_function(database, "score", 2, flags, 0, score, 0, 0);
    if (code == SQLITE_OK)
        code = sqlite3_create_function(database, "mix", 1, flags, 0, mix, 0, 0);
    if (code != SQLITE_OK)
        return code;
    sqlite3_stmt *statement;
    code = sqlite3_prepare_v2(database,
                              "create table item as with recursive n(i) as (select 1 union all "
                              "select i + 1 from n where i < ?1) select i, i * 0.5 as price, "
                              "i % 7 as weight from n",
                              -1, &statement, 0);
    if (code != SQLITE_OK)
        return code;
    sqlite3_bind_int(statement, 1, rows);
    sqlite3_step(statement);
    return sqlite3_finalize(statement);
}

// Runs a query over the whole table; -1 if that fails.
static double query(const char *text) {
    sqlite3_stmt *statement;
    double result = -1;
    if (sqlite3_prepare_v2(database, text, -1, &statement, 0) != SQLITE_OK)
        return result;
    if (sqlite3_step(statement) == SQLITE_ROW)
        result = sqlite3_column_double(statement, 0);
    sqlite3_finalize(statement);
    return result;
}

// One call of `score` a row.
EXPORT("total") double total(void) { return query("select sum(score(price, weight)) from item"); }

// One call of `mix` a row.
EXPORT("digest") double digest(void) { return query("select sum(mix(i) & 65535) from item"); }
