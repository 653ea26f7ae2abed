# frozen_string_literal: true

require "securerandom"

module CdcAudit
  # Runs each request as an act of its own. `actor` tells who acts from Rack's environment and is asked before each statement;
  # without it nobody is known until `CdcAudit.identify` is called, in a controller.
  class Middleware
    def initialize(app, actor: nil)
      @app = app
      @actor = actor
    end

    def call(env)
      request_id = env["action_dispatch.request_id"] || env["HTTP_X_REQUEST_ID"] || SecureRandom.uuid
      CdcAudit.acting(@actor && -> { @actor.call(env) }, request_id: request_id[0, 1000]) { @app.call(env) }
    end
  end
end
