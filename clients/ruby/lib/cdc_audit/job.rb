# frozen_string_literal: true

require "json"

module CdcAudit
  # Lets the name travel with Active Job's work: `class ApplicationJob < ActiveJob::Base; include CdcAudit::Job`.
  # A job that nobody enqueued, such as a scheduled one, has no name: open an act in it by `CdcAudit.acting("job:…")`.
  module Job
    def self.included(job)
      job.around_perform { |work, perform| work.send(:cdc_audit_perform, perform) }
    end

    def serialize = super.merge("cdc_audit_act" => CdcAudit.current&.words&.to_a)

    def deserialize(data)
      super
      @cdc_audit_sent = true
      @cdc_audit_words = data["cdc_audit_act"]
    end

    private

    def cdc_audit_perform(perform)
      # `perform_now` runs within its caller's act.
      return perform.call unless @cdc_audit_sent

      actor, request_id, context = @cdc_audit_words
      CdcAudit.acting(actor, request_id: request_id, context: JSON.parse(context || "{}")) { perform.call }
    end
  end
end
