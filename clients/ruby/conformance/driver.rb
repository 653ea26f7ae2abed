# frozen_string_literal: true

# Answers the conformance suite with Active Record and Active Job; README.md of clients/conformance has the protocol.

require "active_record"
require "active_job"
require "concurrent"
require "json"
require "securerandom"
require "cdc_audit"

LOCK = "LOCK TABLE public.items IN SHARE ROW EXCLUSIVE MODE"
DONE = Concurrent::Map.new

class Item < ActiveRecord::Base
  self.table_name = "public.items"
end

# What was asked to be rolled back.
class Undone < StandardError; end

class StepsJob < ActiveJob::Base
  include CdcAudit::Job

  def perform(steps, key)
    Driver.request_steps(JSON.parse(steps))
    DONE[key] << nil
  rescue StandardError => error
    DONE[key] << error
  ensure
    ActiveRecord::Base.connection_handler.clear_active_connections!
  end
end

# Does the steps of requests.
module Driver
  # Threads that exist before every request, as those of a library's own.
  OUTSIDE = Concurrent::FixedThreadPool.new(8)

  module_function

  def connect(pool)
    ActiveRecord::Base.remove_connection
    ActiveRecord::Base.establish_connection(
      adapter: "postgresql", host: ENV["PGHOST"], port: ENV["PGPORT"], database: ENV["PGDATABASE"], username: ENV["PGUSER"],
      password: ENV["PGPASSWORD"], pool: pool, checkout_timeout: 600,
      prepared_statements: ENV["ACTORS_POOLER"].nil?, advisory_locks: false
    )
    # Before 7.1 the threads of a pool share what they know of tables, and a thread that asks for it first may ask on another's
    # connection, and wait for that one's statement, which may wait for a lock of its own.
    Item.connection.schema_cache.add(Item.table_name)
    ActiveRecord::Base.connection_handler.clear_active_connections!
  end

  def batch(batch)
    requests = batch["requests"].each_with_index.to_a
    return requests.filter_map { |one, place| request(one, place) } unless batch["concurrent"]

    requests.map { |one, place| Thread.new { request(one, place) } }.filter_map(&:value)
  end

  def request(request, place)
    CdcAudit.acting(request["actor"], request_id: request["request_id"], context: request["context"]) do
      request_steps(request["steps"])
    end
    nil
  rescue StandardError => error
    { request: place, message: "#{error.class}: #{error.message}" }
  ensure
    ActiveRecord::Base.connection_handler.clear_active_connections!
  end

  def request_steps(steps)
    steps.each do |step|
      self.step(step)
    rescue Undone
      nil
    end
  end

  def step(step)
    if step["transaction"] then block(step, step["transaction"])
    elsif step["savepoint"] then block(step, step["savepoint"], requires_new: true)
    elsif step.key?("as") then as(step)
    elsif step["lost"] then lost(step["lost"])
    elsif step["job"] then job(step["job"])
    elsif step["wait"] then sleep(step["wait"] / 1000.0)
    else statement(step)
    end
  end

  def block(step, steps, **options)
    options[:isolation] = step["isolation"].tr(" ", "_").to_sym if step["isolation"]
    Item.transaction(**options) do
      # Active Record has no option for it: this is how its users set it.
      Item.connection.execute("SET TRANSACTION READ ONLY") if step["readOnly"]
      steps.each { |inner| self.step(inner) }
      raise Undone if step["rollback"]
    end
  rescue Undone
    nil
  end

  def as(step)
    act = CdcAudit.current
    CdcAudit.acting(step["as"], request_id: act.request_id, context: act.context) { step["steps"].each { |one| self.step(one) } }
  end

  def lost(steps)
    # A connection of Active Record's belongs to its thread, so it goes back before the other thread needs one.
    ActiveRecord::Base.connection_handler.clear_active_connections!
    done = Queue.new
    OUTSIDE.post do
      request_steps(steps)
      done << nil
    rescue StandardError => error
      done << error
    ensure
      ActiveRecord::Base.connection_handler.clear_active_connections!
    end
    error = done.pop
    raise error if error
  end

  def job(steps)
    ActiveRecord::Base.connection_handler.clear_active_connections!
    key = Object.new.object_id.to_s
    DONE[key] = Queue.new
    StepsJob.perform_later(JSON.generate(steps), key)
    error = DONE[key].pop
    DONE.delete(key)
    raise error if error
  end

  # A bare write is one of Active Record's that brings no transaction: insert!, update_all, delete_all.
  def statement(step)
    is_bare = !Item.connection.transaction_open?
    if (id = step["insert"]) then is_bare ? Item.insert!({ id: id }) : Item.create!(id: id)
    elsif (id = step["update"]) then Item.where(id: id).update_all(note: SecureRandom.uuid)
    elsif (id = step["delete"]) then Item.where(id: id).delete_all
    elsif (text = step["sql"]) then Item.connection.execute(text)
    elsif step["read"] then Item.count
    elsif step["lock"] then Item.connection.execute(LOCK)
    elsif step["fail"] then fail_once
    else raise ArgumentError, "The driver does not know the step #{step}."
    end
  end

  def fail_once
    Item.connection.execute("SELECT 1/0")
  rescue ActiveRecord::StatementInvalid
    raise Undone
  end
end

ActiveJob::Base.queue_adapter = ActiveJob::QueueAdapters::AsyncAdapter.new(min_threads: 4, max_threads: 4)
ActiveJob::Base.logger = ActiveRecord::Base.logger = nil
StepsJob.logger = nil
pool = nil
$stdout.sync = true
puts JSON.generate(
  driver: "Active Record #{ActiveRecord.version}, pg #{PG::VERSION}",
  cannot: {}
)
$stdin.each_line do |line|
  batch = JSON.parse(line)
  Driver.connect(pool = batch["pool"]) if batch["fresh"] || batch["pool"] != pool
  puts JSON.generate(id: batch["id"], errors: Driver.batch(batch))
end
ActiveRecord::Base.remove_connection
