-- What happens to records by itself, and the calendars in which that is counted (extension/timer, extension/calendar).

CREATE FUNCTION qehs.timer_run(until timestamptz, batch_size int4 DEFAULT 1000) RETURNS int4 AS 'MODULE_PATHNAME', 'qehs_timer_run'
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_sort = off SET jit = off;
COMMENT ON FUNCTION qehs.timer_run(timestamptz, int4) IS 'Does what is due of all tenants that are not suspended, oldest first, at least one and else until the time is up or batch_size are done: tells of what is overdue (escalations of deadlines), and fires transitions that have an "after", as the system. Several sessions may call it at once: each timer is done once. A transition whose guards do not hold, or whose effects fail, is tried again every hour, and told once by an event held of the record and one of the outbox. Gives how many were done or put off. tick calls it.';

CREATE FUNCTION qehs.calendar_set(time_zone text DEFAULT NULL, working_days int4[] DEFAULT NULL, opens text DEFAULT NULL, closes text DEFAULT NULL,
	holidays text[] DEFAULT NULL)
RETURNS json AS 'MODULE_PATHNAME', 'qehs_calendar_set'
LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.calendar_set(text, int4[], text, text, text[]) IS 'Sets the calendar in which due dates of the current tenant are counted, and gives it as calendar_get does; what is NULL stays as it is. time_zone is a name of the time zone database, at first UTC; once it is set, datetimes of fields without timeZone may be told without an offset, as local times of it; working_days are 1 (Monday) to 7 (Sunday), at first 1 to 5; opens and closes (HH:MM or HH:MM:SS) are of each of them, at first 00:00 and 24:00; holidays (YYYY-MM-DD) replace those before. Holds for what is timed from then on. Needs scope modules.write, role tenant-owner or tenant-admin, and a key for all modules. Raises QH400 validation_failed, QH403 forbidden.';

CREATE FUNCTION qehs.calendar_get() RETURNS json AS 'MODULE_PATHNAME', 'qehs_calendar_get'
LANGUAGE C STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.calendar_get() IS 'The calendar of the current tenant: {"timeZone","workingDays","opens","closes","holidays"}. Needs scope modules.read, role tenant-owner or tenant-admin. Raises QH403 forbidden.';
