# frozen_string_literal: true

require "json"

# Says who acts in PostgreSQL's transactions, for an audit log that reads the write-ahead log.
module CdcAudit
  # The arguments of capture.announce.
  Words = Struct.new(:actor, :request_id, :context)

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

    # What to announce; nil while nobody is known.
    def words
      # Who is signed in may be read from the database: those statements come here as well.
      return if @asking

      @asking = true
      actor = @actor.respond_to?(:call) ? @actor.call : @actor
      Words.new(actor.to_s, request_id, JSON.generate(context)) unless actor.to_s.empty?
    ensure
      @asking = false
    end
  end

  class << self
    # The act that the running fiber belongs to, or nil.
    def current = Thread.current[:cdc_audit_act]

    # Runs a block as an act of its own; the outer act goes on behind it.
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
