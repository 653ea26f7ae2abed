# frozen_string_literal: true

require "json"
require "active_record/version"

# Says who acts in PostgreSQL's transactions, for an audit log that reads the write-ahead log.
module CdcAudit
  # Each version calls our hook at another moment around its BEGIN. Where that is unknown, what an application rolls back could
  # be committed.
  if ActiveRecord.version >= Gem::Version.new("8.0.0.alpha")
    raise LoadError, "cdc_audit works with Active Record 6.1 to 7.2; this is #{ActiveRecord.version}. Take cdc_audit out of " \
                     "the Gemfile, and call `SELECT capture.announce('alice', 'request-7')` at the start of transactions."
  end

  # The arguments of capture.announce.
  Words = Struct.new(:actor, :request_id, :context) do
    def nobody? = actor.nil?
  end
  # Takes back the name that a transaction was told before.
  NOBODY = Words.new.freeze

  # One request or job. `actor` is a name of at most 600 characters, or something to `call` that tells it; nil: nobody is known.
  class Act
    attr_reader :request_id, :context

    def initialize(actor = nil, request_id = nil, context = {})
      @actor = actor
      @request_id = request_id
      @context = context || {}
    end

    def identify(actor, context = {})
      @actor = actor
      @context = @context.merge(context)
    end

    # What to announce: nobody while nobody is known. nil while the actor is asked, which changes nothing.
    def words
      # Who is signed in may be read from the database: those statements come here as well.
      return if @asking

      actor = ask.to_s
      actor.empty? ? NOBODY : Words.new(actor, request_id, JSON.generate(context))
    end

    private

    def ask
      @asking = true
      @actor.respond_to?(:call) ? @actor.call : @actor
    ensure
      @asking = false
    end
  end

  class << self
    # The act that the running fiber belongs to, or nil.
    def current = Thread.current[:cdc_audit_act]

    # Runs a block as an act of its own; the outer act goes on behind it. nil: nobody is known, and changes in the block bear no
    # name, also in a transaction that bore one before.
    def acting(actor, request_id: nil, context: {})
      outer = current
      Thread.current[:cdc_audit_act] = Act.new(actor, request_id, context)
      yield
    ensure
      Thread.current[:cdc_audit_act] = outer
    end

    # Names the actor of the current act, for changes from here on: to be called where a user is signed in.
    def identify(actor, context = {})
      raise "CdcAudit.identify(#{actor.inspect}) was called outside every act. Add CdcAudit::Middleware, or open one by " \
            "`CdcAudit.acting(…) { … }`." unless current

      current.identify(actor, context)
    end
  end
end

require "cdc_audit/active_record"
require "cdc_audit/middleware"
require "cdc_audit/job"
